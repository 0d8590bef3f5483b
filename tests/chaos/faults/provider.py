"""The provider misbehaves: too many requests, errors, silence, half answers, a bad key, a paused template."""

from __future__ import annotations

import time
from typing import Any

from interakt_jobs import Job, configure, send_template, send_text
from interakt_jobs.ledger.keys import prefix
from interakt_jobs.ledger.redis_client import RedisClient
from sandbox.accounts import label_of
from sandbox.control import Sandbox
from tests.chaos.bed import Trial
from tests.chaos.load import text_payload
from tests.chaos.processes import wait_until
from tests.chaos.registry import fault
from worker.ledger.accounts import resume_template
from worker.ledger.work_ledger import WorkLedger


def _while_loaded(trial: Trial, seconds: float, *, jobs: int = 300, rate: float = 60, **rule: Any) -> int:
    """Set a rule for ``seconds`` under load; how often it struck."""
    trial.worker("a")
    trial.worker("b")
    trial.load(jobs, rate=rate)
    trial.wait_busy()
    time.sleep(0.5)
    trial.bed.sandbox.faults(seed=trial.seed, **rule)
    time.sleep(seconds)
    struck = _struck(trial)
    trial.bed.sandbox.faults()
    trial.bed.redis.hset(f"{prefix('default')}state", "paused_until", "0")
    return struck


def _struck(trial: Trial) -> int:
    """Calls that a fault of the sandbox has spoiled."""
    return sum(call["fault"] is not None for call in trial.bed.sandbox.calls())


@fault("429 to everything for 2 s", rounds=1, short=1)
def throttled(trial: Trial) -> None:
    struck = _while_loaded(trial, 2, share_429=1)
    trial.expect(struck > 0, "no 429 was answered")
    trial.expect(struck <= 40, f"{struck} calls were made into a storm of 429 in 2 s")


@fault("500 to a third of the calls", rounds=1, short=1)
def broken(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, share_500=0.33)


@fault("503 to everything for 3 s", rounds=1)
def unavailable(trial: Trial) -> None:
    _while_loaded(trial, 3, share_503=1)


@fault("calls hang past their deadline", rounds=1)
def hanging(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, share_hang=0.1, hang_seconds=5, accepted=0.5)


@fault("connections reset after the request was read, half of them accepted", rounds=1, short=1)
def reset_after_reading(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, reset_after_reading=0.2, accepted=0.5)


@fault("connections reset before the request was read", rounds=1)
def reset_before_reading(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, reset_before_reading=0.2)


@fault("accepted, but the answer is lost", rounds=1)
def answer_lost(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, accept_lose_answer=0.2)


@fault("answers drip byte by byte past the deadline", rounds=1)
def dripping(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, drip_bytes=0.1, drip_ms=50)


@fault("HTML pages instead of JSON", rounds=1)
def html(trial: Trial) -> None:
    trial.bound += _while_loaded(trial, 4, html_502=0.3)


@fault("401 to everything for 3 s: the account pauses, no job dies", rounds=1, short=1)
def bad_key(trial: Trial) -> None:
    struck = _while_loaded(trial, 3, share_status=1, status=401)
    trial.expect(struck <= 20, f"{struck} calls were made with a refused key in 3 s")
    load = trial.loads[0]
    load.wait()
    trial.reader.settle_down()
    trial.expect(not trial.bed.redis.zcard(f"{prefix('default')}dead"), "jobs died of a bad key")


@fault("a template is paused: its jobs wait, the others go", rounds=1, short=1)
def template_paused(trial: Trial) -> None:
    trial.worker("a")
    configure(trial.bed.valkey.url)
    trial.free_statuses = frozenset({400})
    trial.bed.sandbox.templates(name="diwali_offer", status="PAUSED")
    paused, fine = (_sends(trial, name) for name in ("diwali_offer", "welcome_message"))
    wait_until(lambda: all(job.ready() for job in fine), 120, "the other template's jobs end")
    trial.expect(not any(job.ready() for job in paused), "a job of the paused template has ended")
    calls = sum(call.status == 400 for call in trial.calls())
    trial.expect(0 < calls <= 8, f"{calls} calls were made for the paused template")
    trial.bed.sandbox.templates(name="diwali_offer", status="APPROVED")
    link = RedisClient(trial.bed.valkey.url)
    resume_template(WorkLedger(link, "default"), "diwali_offer:en")
    wait_until(lambda: all(job.ready() for job in paused), 120, "its jobs end")
    trial.expect(not trial.bed.redis.zcard(f"{prefix('default')}dead"), "a job died of a paused template")
    link.close()


@fault("a hanging account's OTPs: those of another go through", rounds=1, short=1)
def hanging_account(trial: Trial) -> None:
    key = Sandbox.key_for("brand-b")
    env = {"INTERAKT_API_KEY__BRAND_B": key, "INTERAKT_HTTP_DEADLINE_SECONDS": "120"}
    workers = [trial.worker(name, env=env) for name in ("a", "b")]
    trial.bed.sandbox.faults(share_hang=1, hang_seconds=0, only_accounts=[label_of(key)])
    configure(trial.bed.valkey.url)
    for number in range(100):
        send_text.delay(text_payload(number), lane="urgent", account="brand_b")
    half = sum(worker.slots for worker in workers) // 2
    running = f"{prefix('brand_b')}run:urgent"
    wait_until(lambda: trial.bed.redis.zcard(running) == half, 30, "half of the threads hang")
    trial.load(300, rate=60, mix="urgent").wait_made()
    rest = trial.reader.settle_down(60)
    trial.expect(not rest, f"OTPs waited for calls that hang: {rest}")
    trial.expect(
        trial.bed.redis.zcard(running) == half, "calls that hang did not keep their half of the threads"
    )


def _sends(trial: Trial, template: str) -> list[Job]:
    """Sixty jobs of one template."""
    payload: Any = {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "Template",
        "template": {"name": template, "languageCode": "en", "bodyValues": ["John"]},
    }
    jobs = [send_template.delay(payload, repeat="never") for _ in range(60)]
    trial.accepted |= {job.id: "never" for job in jobs}
    return jobs
