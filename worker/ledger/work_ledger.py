"""The worker's half of the ledger: claim, start, step, renew, release and reap."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from interakt_jobs.ledger.client import Ledger
from interakt_jobs.ledger.constants import LANES as LANES
from interakt_jobs.ledger.redis_client import Argument
from interakt_jobs.ledger.scripts import Script
from interakt_jobs.ledger.scripts import load as load_script


def load(name: str) -> Script:
    """A script of the worker's, from ``worker/ledger/lua/calls``."""
    return load_script(name, "worker/ledger/lua/calls", "worker/ledger/lua")


CLAIM, START, STEP, RENEW, RELEASE, REAP, PERMIT = (
    load(name) for name in ("claim", "start", "step", "renew", "release", "reap", "permit")
)
PERMIT_SECONDS = 10.0


class Work(NamedTuple):
    """A claimed job: job_key, fence, record, attempts made before; and the answer of ``start``, if it was called, and when.

    The verdict ``check`` asks to check the payload before ``start`` is called.
    """

    job_key: str
    fence: int
    record: str
    attempts: int = 0
    verdict: str = ""
    millis: int = 0
    asked: float = 0.0


class Verdict(NamedTuple):
    """What ``start`` answered: go (and how many ms the permit stays fresh), wait (ms), back, dead or gone (why)."""

    word: str
    millis: int = 0
    why: str = ""


class Released(NamedTuple):
    """What a dispatcher's tick released: whether this dispatcher leads, ms until the next look, job_keys by lane."""

    leads: bool
    millis: int
    job_keys: dict[str, list[str]]


class WorkLedger(Ledger):
    """What a worker does with one account's records. ``lease_ms`` is renewed by the heartbeat while a job runs."""

    lease_ms = 30_000
    release_ms = 10_000

    def claim(self, token: str, job_keys: Sequence[str]) -> list[Work]:
        """Claim released jobs; those no longer to be had are left out."""
        answers = self.link.run(CLAIM, self._keys, token, self.lease_ms, *job_keys)
        return [
            Work(job_key, answer[0], answer[1].decode(errors="surrogateescape"), answer[2])
            for job_key, answer in zip(job_keys, answers, strict=True)
            if answer and answer[1]
        ]

    def start(self, job_key: str, fence: int) -> Verdict:
        return _verdict(self.link.run(START, self._keys, job_key, fence, self.lease_ms))

    def step(
        self,
        work: Work,
        outcome: Sequence[Argument],
        next_lane: str = "",
        token: str = "",
        again: bool = False,
    ) -> tuple[str, Work | None]:
        """Settle ``work`` with ``outcome`` and claim the lane's next job; returns how it was settled, and the job.

        ``again`` repeats a call whose answer was lost: the job that it may have claimed is returned.
        """
        answer = self.link.run(
            STEP,
            self._keys,
            work.job_key,
            work.fence,
            outcome[0],
            next_lane,
            token,
            self.lease_ms,
            "1" if again else "0",
            *outcome[1:],
            repeat=6,
        )
        settled = answer[0].decode()
        if len(answer) == 1:
            return settled, None
        job_key, fence, record, word, millis, attempts = answer[1:]
        text = record.decode(errors="surrogateescape")
        return settled, Work(job_key.decode(), fence, text, attempts, word.decode(), int(millis))

    def renew(self, jobs: Sequence[tuple[str, int]]) -> int:
        """Renew the leases of running jobs; returns how many are still ours."""
        flat = [value for pair in jobs for value in pair]
        return int(self.link.run(RENEW, self._keys, self.lease_ms, *flat))

    def release(
        self, token: str, wanted: dict[str, int], *, lease_ms: int = 2000, leave: bool = False
    ) -> Released:
        """One tick of the dispatcher holding ``token``; ``wanted`` jobs in flight per lane."""
        answer = self.link.run(
            RELEASE,
            self._keys,
            token,
            lease_ms,
            self.release_ms,
            *(wanted.get(lane, 0) for lane in LANES),
            "1" if leave else "0",
        )
        job_keys = {
            lane: [job_key.decode() for job_key in found]
            for lane, found in zip(LANES, answer[2:], strict=False)
            if found
        }
        return Released(answer[0] == 1, int(answer[1]), job_keys)

    def reap(
        self,
        *,
        most: int,
        retry_ms: int,
        crashes: int = 3,
        aside: Callable[[list[str]], object] = lambda names: None,
    ) -> dict[str, int]:
        """Repair what a dead worker, a lost message or an ended hold left; returns counts by what was done.

        ``aside`` is called with the names of keys that a script had to set aside, until they are removed from ``astray``.
        """
        *answer, names = self.link.run(REAP, self._keys, most, retry_ms, crashes)
        if names:
            aside([name.decode(errors="replace") for name in names])
        return dict(zip(("again", "unknown", "dead", "ended", "unparked"), answer, strict=True))

    def take_permit(self) -> bool:
        """Take a permit for a call that is no job, waiting ten seconds at most; False when there was none.

        An account that no worker registered has no budget yet, and nobody to share it with: True at once.
        """
        end = time.monotonic() + PERMIT_SECONDS
        while (wait := int(self.link.run(PERMIT, self._keys, "normal"))) > 0:
            if time.monotonic() + wait / 1000 > end:
                return False
            time.sleep(wait / 1000)
        return True


def _verdict(answer: list[Any]) -> Verdict:
    word = answer[0].decode()
    if word in ("go", "wait"):
        return Verdict(word, int(answer[1]))
    return Verdict(word, 0, answer[1].decode() if len(answer) > 1 else "")
