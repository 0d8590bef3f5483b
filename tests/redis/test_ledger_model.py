"""The ledger against a model: any sequence of calls, doubled, late and in any order, on a real server.

``INTERAKT_TEST_MODEL_EXAMPLES`` makes it longer (the normal run has 60). A failure prints the sequence as a program and,
with ``--hypothesis-seed``, runs again.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from interakt_jobs.errors import NoSuchJob, NotCancellable
from interakt_jobs.event import RANKS
from interakt_jobs.ledger.client import JobOptions, NewJob
from interakt_jobs.ledger.redis_client import RedisClient
from worker.ledger import accounts
from worker.ledger.dead_letters import DeadLetters
from worker.ledger.work_ledger import LANES, Work, WorkLedger
from worker.process import REGISTER
from worker.webhooks.receipts import apply_receipt

from .ledger_model import Attempt, Known, check

EXAMPLES = int(os.environ.get("INTERAKT_TEST_MODEL_EXAMPLES", "60"))
HOUR = 3_600_000
DONE = ("done", "p", 201, "ok", 3600, "1", "")
NOT_ACCEPTED: tuple[tuple[Any, ...], ...] = (
    ("retry", 0, "HTTP 503", '{"outcome":"unavailable"}'),
    ("retry", HOUR, "HTTP 503", ""),
    ("unknown", "timeout", "", 0),
    ("unknown", "timeout", "", 0),
    ("dead", "rejected", "no", 400, ""),
    ("throttled", 0),
    ("template", "No approved template", ""),
    ("account", "account: wallet", ""),
    ("unsent",),
)
ACCEPTED: tuple[tuple[Any, ...], ...] = (DONE, DONE, NOT_ACCEPTED[2], NOT_ACCEPTED[3])
GROUPS = ("", "offer:en", "welcome:en")
PICK = st.integers(0, 1_000_000)
LANE = st.sampled_from(LANES)
TOKEN = st.sampled_from(("t1", "t2"))
WANTED = dict.fromkeys(LANES, 8)


class Machine(RuleBasedStateMachine):
    """Applications, workers, a provider and time, each doing anything at any moment."""

    link: RedisClient

    @initialize()
    def empty(self) -> None:
        self.link.command("FLUSHALL")
        self.ledger = WorkLedger(self.link, "default")
        self.ledger.lease_ms = self.ledger.release_ms = HOUR
        self.link.run(REGISTER, [self.ledger.prefix], 60_000, 60_000)
        self.letters = DeadLetters(self.ledger, who="model")
        self.jobs: dict[str, Known] = {}
        self.claimed: list[tuple[Work, str]] = []
        self.running: list[Attempt] = []
        self.past: list[Attempt] = []

    def _key(self, name: str) -> str:
        return f"{self.ledger.prefix}{name}"

    def _job(self, pick: int) -> Known:
        return list(self.jobs.values())[pick % len(self.jobs)]

    # applications

    @rule(
        lane=LANE,
        policy=st.sampled_from(("always", "after_hold", "never")),
        expires=st.sampled_from(("", f"+{HOUR}")),
        delay=st.sampled_from(("", "", f"+{HOUR}")),
        group=st.sampled_from(GROUPS),
        key=st.sampled_from(("", "", "k1", "k2")),
        most=st.integers(1, 4),
    )
    def accept(
        self, lane: str, policy: str, expires: str, delay: str, group: str, key: str, most: int
    ) -> None:
        job_key = f"job{len(self.jobs)}"
        terms = JobOptions("send_text", lane, delay, expires, policy, most, flags="crs")
        new = NewJob(
            job_key,
            f'{{"for":"{job_key}"}}',
            "abc",
            group,
            '{"resend_on":[5],"on_done":"app.told"}',
            key,
            "d",
        )
        answer = self.ledger.accept(terms, [new])[0]
        if answer == "new":
            self.jobs[job_key] = Known(job_key, policy, lane)
            assert self.ledger.accept(terms, [new]) == ["known"]
        else:
            assert key and answer.removeprefix("same ") in self.jobs

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        job = self._job(pick)
        try:
            before = self.ledger.read(job.job_key).state
            self.ledger.cancel(job.job_key)
            assert before not in ("running", "done", "dead")
        except NoSuchJob:
            assert job.gone
        except NotCancellable as error:
            assert before == error.args[1]

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def forget(self, pick: int) -> None:
        job = self._job(pick)
        try:
            self.ledger.forget(job.job_key)
            job.gone = True
        except NotCancellable:
            assert self.ledger.read(job.job_key).state not in ("done", "cancelled")

    # workers

    @rule(token=st.sampled_from(("p", "q")), leave=st.booleans())
    def release(self, token: str, leave: bool) -> None:
        self.ledger.release(token, WANTED, lease_ms=HOUR, leave=leave)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, token=TOKEN)
    def claim(self, pick: int, token: str) -> None:
        for work in self.ledger.claim(token, [self._job(pick).job_key]):
            if (work, token) not in self.claimed:
                self.claimed.append((work, token))

    def _goes(self, work: Work, token: str, accepted: bool) -> None:
        job = self.jobs[work.job_key]
        if any(attempt.work.fence == work.fence for attempt in job.attempts):
            return
        assert not job.proved, "sent again after its receipt"
        attempt = Attempt(work, token, accepted, job.round)
        job.attempts.append(attempt)
        job.calls += 1
        self.running.append(attempt)

    @precondition(lambda self: self.claimed)
    @rule(pick=PICK, accepted=st.booleans(), keep=st.booleans())
    def start(self, pick: int, accepted: bool, keep: bool) -> None:
        at = pick % len(self.claimed)
        work, token = self.claimed[at] if keep else self.claimed.pop(at)
        self.link.command("DEL", self._key("bud"))
        if self.ledger.start(work.job_key, work.fence).word == "go":
            self._goes(work, token, accepted)

    @precondition(lambda self: self.claimed)
    @rule(
        pick=PICK,
        sent=st.sampled_from((("unsent",), ("dead", "invalid_payload", "no", "", ""), NOT_ACCEPTED[0])),
    )
    def give_back(self, pick: int, sent: tuple[Any, ...]) -> None:
        work, token = self.claimed.pop(pick % len(self.claimed))
        if all(attempt.work.fence != work.fence for attempt in self.running + self.past):
            if sent[0] != "unsent":
                self.jobs[work.job_key].calls += 1
            self._settle(Attempt(work, token, False, 0), sent, "", False, False)

    def _settle(
        self, attempt: Attempt, outcome: tuple[Any, ...], lane: str, again: bool, next_accepted: bool
    ) -> None:
        self.link.command("DEL", self._key("bud"))
        _, following = self.ledger.step(attempt.work, outcome, lane, attempt.token, again)
        if following is not None:
            if following.verdict == "go":
                self._goes(following, attempt.token, next_accepted)
            elif (following, attempt.token) not in self.claimed:
                self.claimed.append((following, attempt.token))

    @precondition(lambda self: self.running)
    @rule(pick=PICK, which=PICK, lane=st.sampled_from(("", *LANES)), next_accepted=st.booleans())
    def settle(self, pick: int, which: int, lane: str, next_accepted: bool) -> None:
        attempt = self.running.pop(pick % len(self.running))
        choice = ACCEPTED if attempt.accepted else NOT_ACCEPTED
        attempt.outcome = choice[which % len(choice)]
        self.past.append(attempt)
        self._settle(attempt, attempt.outcome, lane, False, next_accepted)

    @precondition(lambda self: self.running)
    @rule(pick=PICK)
    def worker_stalls(self, pick: int) -> None:
        self.past.append(self.running.pop(pick % len(self.running)))

    @precondition(lambda self: any(attempt.accepted for attempt in self.running))
    @rule(pick=PICK, cancelled=st.booleans(), kind=st.sampled_from(tuple(RANKS)))
    def receipt_comes_after_the_hold(self, pick: int, cancelled: bool, kind: str) -> None:
        accepted = [attempt for attempt in self.running if attempt.accepted]
        attempt = accepted[pick % len(accepted)]
        self.running.remove(attempt)
        self.past.append(attempt)
        attempt.outcome = ("unknown", "timeout", "", HOUR)
        self._settle(attempt, attempt.outcome, "", False, False)
        position = list(self.jobs).index(attempt.work.job_key)
        if cancelled:
            self.cancel(position)
        self.time_passes("held")
        self.reap(0)
        self.receipt(position, kind, "")

    @precondition(lambda self: self.past)
    @rule(pick=PICK, lane=st.sampled_from(("", *LANES)), again=st.booleans(), next_accepted=st.booleans())
    def answer_late_or_twice(self, pick: int, lane: str, again: bool, next_accepted: bool) -> None:
        attempt = self.past[pick % len(self.past)]
        outcome = attempt.outcome or (DONE if attempt.accepted else NOT_ACCEPTED[0])
        self._settle(attempt, outcome, lane, again, next_accepted)

    @rule(retry=st.sampled_from((0, HOUR)))
    def reap(self, retry: int) -> None:
        self.ledger.reap(most=100, retry_ms=retry)

    # time

    @rule(
        name=st.sampled_from(
            ("held", *(f"{kind}:{lane}" for kind in ("ready", "rel", "run") for lane in LANES))
        )
    )
    def time_passes(self, name: str) -> None:
        for job_key in self.link.command("ZRANGE", self._key(name), 0, -1):
            self.link.command("ZADD", self._key(name), 1, job_key)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def job_expires(self, pick: int) -> None:
        job_key = self._job(pick).job_key
        if self.link.command("ZSCORE", self._key("expires"), job_key) is not None:
            head, _, rest = self.link.command("GET", self._key(f"j:{job_key}")).decode().partition("\n")
            fields = head.split("|")
            fields[5] = "1"
            self.link.command("SET", self._key(f"j:{job_key}"), "|".join(fields) + "\n" + rest)
            self.link.command("ZADD", self._key("expires"), 1, job_key)

    @rule()
    def pauses_end(self) -> None:
        self.link.command("HSET", self._key("state"), "paused_until", 1)
        for group in self.link.command("HKEYS", self._key("groups")):
            self.link.command("HSET", self._key("groups"), group, "1|1|why")
        for group in GROUPS:
            self.link.command("DEL", self._key(f"probe:{group}"), self._key("probe"))

    # people, webhooks

    @rule(group=st.sampled_from(("account", *GROUPS[1:])), pause=st.booleans())
    def by_hand(self, group: str, pause: bool) -> None:
        if group == "account":
            accounts.pause(self.ledger, 3600, "by hand") if pause else accounts.resume(self.ledger)
        elif pause:
            accounts.pause_template(self.ledger, group, 3600, "by hand")
        else:
            accounts.resume_template(self.ledger, group)

    @rule(live=st.booleans())
    def receipts_are_seen(self, live: bool) -> None:
        at = int(self.link.command("TIME")[0]) * 1000 if live else 0
        self.link.command("HSET", self._key("state"), "receipts_at", at)

    @rule(on=st.booleans())
    def webhook_secret_is_set(self, on: bool) -> None:
        self.link.command("HSET", self._key("state"), "webhooks", int(on))

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, kind=st.sampled_from(tuple(RANKS)), code=st.sampled_from(("", "5")))
    def receipt(self, pick: int, kind: str, code: str) -> None:
        job = self._job(pick)
        now = int(self.link.command("TIME")[0]) * 1000
        if job.accepted(of_round=True):
            apply_receipt(self.ledger, job.job_key, kind, at_ms=now + 1000, code=code, provider_id="p")
            job.proved = not job.gone
        elif job.accepted():
            old = apply_receipt(self.ledger, job.job_key, kind, at_ms=now - HOUR, code=code, provider_id="p")
            assert old.job in ("known", "missing")

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, allow=st.booleans(), delay=st.sampled_from((0, 3600)))
    def replay(self, pick: int, allow: bool, delay: int) -> None:
        job = self._job(pick)
        before = None if job.gone else self.ledger.read(job.job_key)
        if self.letters.replay(job.job_key, allow_duplicates=allow, delay=delay) != "replayed":
            return
        assert before is not None
        job.round += 1
        job.calls, job.proved = 0, False
        if before.state == "done":
            assert before.delivery.startswith("2.failed")
            job.since = job.round
        elif job.policy != "always":
            assert allow or not job.accepted(of_round=True), "replayed though it had been accepted"
            job.doubles_allowed = job.doubles_allowed or allow

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def drop(self, pick: int) -> None:
        job = self._job(pick)
        if self.letters.drop(job.job_key):
            job.gone = True

    # what must hold

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "jobs"):
            check(self.ledger, self.jobs)

    def teardown(self) -> None:
        """Whatever happened: with workers that work and a provider that accepts, every job ends."""
        if not hasattr(self, "jobs"):
            return
        self.past += self.running
        for _ in range(6 * len(self.jobs) + 6):
            seen = check(self.ledger, self.jobs)
            live = {
                job_key for job_key, places in seen.places().items() if places[0] not in ("dead", "ended")
            }
            if not live:
                break
            self.pauses_end()
            self.link.command("HSET", self._key("state"), "by_hand", 0)
            for name in ("held", *(f"{kind}:{lane}" for kind in ("ready", "rel", "run") for lane in LANES)):
                self.time_passes(name)
            self.reap(0)
            self.time_passes("held")
            self.link.command("DEL", self._key("dispatcher"))
            for job_keys in self.ledger.release("p", WANTED).job_keys.values():
                for work in self.ledger.claim("drain", job_keys):
                    self.link.command("DEL", self._key("bud"))
                    if self.ledger.start(work.job_key, work.fence).word == "go":
                        self._goes(work, "drain", True)
                        self._settle(self.running.pop(), DONE, "", False, False)
        else:
            raise AssertionError(f"these never end: {live}")
        for job_key, job in self.jobs.items():
            if not job.gone:
                job.gone = bool(self.letters.drop(job_key)) or self.ledger.forget(job_key) is None
        check(self.ledger, self.jobs)


def test_any_sequence_of_calls_keeps_the_ledgers_promises(redis_url: str) -> None:
    Machine.link = RedisClient(redis_url)
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=40,
                deadline=None,
                print_blob=True,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
            ),
        )
    finally:
        Machine.link.close()


pytestmark = pytest.mark.timeout(60 + 2 * EXAMPLES)
