"""The answer of a script is lost: the script has run, its caller does not know. Nothing may come of it."""

from __future__ import annotations

import time

from tests.chaos.bed import Trial
from tests.chaos.load import text_payload
from tests.chaos.registry import fault


def _lose(trial: Trial, name: str) -> None:
    """Lose ``rounds`` answers of one script under load; every fourth call is lost before it reaches Redis."""
    from interakt_jobs.ledger import client
    from worker.ledger import work_ledger as work

    script = getattr(work, name.upper(), None) or getattr(client, name.upper())
    trial.latency()
    trial.worker("a", proxied=True)
    trial.worker("b", proxied=True)
    proxy = trial.bed.proxy
    load = trial.load(60, rate=120, proxied=name == "accept")
    for turn in range(trial.rounds):
        load.more(40)
        want = proxy.dropped(script.sha) + 1
        proxy.drop(script.sha, before=turn % 4 == 3)
        end = time.monotonic() + 10
        while proxy.dropped(script.sha) < want and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.2)  # the repeat of the same call must get its answer
    proxy.drop(script.sha, 0)
    proxy.drop(script.sha, 0, before=True)
    trial.expect(proxy.dropped(script.sha) > 0, f"no answer of {name} was lost")


def _register(name: str, rounds: int, short: int = 0) -> None:
    def harm(trial: Trial) -> None:
        _lose(trial, name)

    harm.__name__ = f"{name}_answer_lost"
    fault(f"the answer of {name} is lost", rounds=rounds, short=short)(harm)


for _name, _short in (
    ("accept", 5),
    ("release", 0),
    ("claim", 5),
    ("start", 5),
    ("step", 5),
    ("renew", 0),
    ("reap", 0),
):
    _register(_name, 40, _short)


@fault("the answer of cancel is lost", rounds=20, short=5)
def cancel_answer_lost(trial: Trial) -> None:
    from interakt_jobs import configure, send_text
    from interakt_jobs.ledger.client import CANCEL

    trial.worker("a")
    configure(trial.bed.proxy.url, allow_unregistered=True)
    for number in range(trial.rounds):
        job = send_text.delay(text_payload(number), countdown=60, repeat="never")
        trial.accepted[job.id] = "never"
        trial.bed.proxy.drop(CANCEL.sha)
        job.revoke()
        trial.expect(job.state == "REVOKED", f"a cancelled job is {job.state}")
    trial.expect(trial.bed.proxy.dropped(CANCEL.sha) > 0, "no answer of cancel was lost")
