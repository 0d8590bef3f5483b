"""A key that holds something else: it is set aside and named, no job is lost or doubled, and the rest goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from interakt_jobs.errors import NoSuchJob
from interakt_jobs.ledger.keys import CELERY, POISON, WORKERS, prefix
from interakt_jobs.ledger.redis_client import RedisClient
from tests.waiting import until
from worker.cli.status import _remarks
from worker.ledger import status
from worker.ledger.set_aside import SetAside, regain, suspected
from worker.ledger.work_ledger import Work, WorkLedger

from .test_ledger import DONE, WANTED

Accept = Callable[..., str]
FAR = 10**15


@pytest.fixture
def aside(link: RedisClient, ledger: WorkLedger) -> SetAside:
    return SetAside(link, [ledger])


def replace(ledger: WorkLedger, name: str, kind: str = "string") -> None:
    """Somebody writes another type over a key of ours."""
    key = ledger.prefix + name
    ledger.link.command("DEL", key)
    if kind == "string":
        ledger.link.command("SET", key, "somebody's")
    else:
        ledger.link.command("HSET", key, "a", "somebody's")


def reap(ledger: WorkLedger, aside: SetAside) -> dict[str, int]:
    return ledger.reap(most=100, retry_ms=1, aside=lambda names: aside.named(ledger, names))


def settled(ledger: WorkLedger, aside: SetAside) -> None:
    """Let chores run until nothing is astray."""

    def done() -> bool:
        reap(ledger, aside)
        return not ledger.link.command("LLEN", f"{ledger.prefix}astray")

    until(done)


def _started(ledger: WorkLedger, work: Work) -> str:
    word = ledger.start(work.job_key, work.fence).word
    return "" if word == "wait" else word


def finish_all(ledger: WorkLedger) -> list[str]:
    """Send all that is due; the job_keys, in the order of their calls."""
    made = []
    while job_keys := ledger.release("dispatcher", WANTED).job_keys.get("normal"):
        for work in ledger.claim("t", job_keys):
            word = until(lambda work=work: _started(ledger, work))
            if word == "go":
                made.append(work.job_key)
                assert ledger.step(work, DONE)[0] == "ok"
    return made


@pytest.mark.parametrize(
    "name", ["ready:normal", "expires", "templates_waiting", "tries", "count", "possibly_sent", "groups"]
)
def test_jobs_that_wait_are_put_back_and_sent_once(
    ledger: WorkLedger, accept: Accept, aside: SetAside, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    job_keys = {accept() for _ in range(20)}
    replace(ledger, name)
    with caplog.at_level(logging.CRITICAL):
        made = finish_all(ledger)
        settled(ledger, aside)
        made += finish_all(ledger)
    assert len(made) == 20 and set(made) == job_keys
    assert all(ledger.read(job_key).state == "done" for job_key in job_keys)
    named = [record for record in caplog.records if record.__dict__.get("action") == "key_set_aside"]
    assert [record.__dict__["key"] for record in named] == [ledger.prefix + name]


@pytest.mark.parametrize("name", ["rel:normal", "run:normal", "held", "fl", "ready:normal"])
def test_a_job_under_way_ends_once(ledger: WorkLedger, accept: Accept, aside: SetAside, name: str) -> None:
    job_key = accept(repeat="never")
    (work,) = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])
    if name != "rel:normal":
        assert ledger.start(job_key, work.fence).word == "go"
    replace(ledger, name)
    settled(ledger, aside)
    if name == "rel:normal":
        assert ledger.link.command("ZSCORE", f"{ledger.prefix}rel:normal", job_key)
        assert ledger.start(job_key, work.fence).word == "go"
    assert finish_all(ledger) == []
    told = ledger.step(work, DONE)[0]
    assert told == "ok" or name == "fl"
    assert (ledger.read(job_key).state == "done") is (name != "fl")
    assert finish_all(ledger) == []


def test_a_job_whose_flight_was_lost_is_of_unknown_outcome(
    ledger: WorkLedger, accept: Accept, aside: SetAside
) -> None:
    job_key = accept(repeat="never")
    (work,) = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])
    assert ledger.start(job_key, work.fence).word == "go"
    replace(ledger, "fl")
    settled(ledger, aside)
    ledger.link.command("ZADD", f"{ledger.prefix}run:normal", 1, job_key)  # its lease ends
    reap(ledger, aside)
    assert finish_all(ledger) == []
    assert ledger.read(job_key).reason in ("unknown_outcome", "")


@pytest.mark.parametrize(
    "raw", ["", "nonsense", "2|send_text|normal", "2|a|b|c|d|e|f|g|h|i|j|k|l\n\n{}", "\x00\xff"]
)
@pytest.mark.parametrize("place", ["ready:normal", "rel:normal", "run:normal", "held", "expires"])
def test_a_record_that_is_none_is_set_aside_and_stops_nobody(
    ledger: WorkLedger, accept: Accept, aside: SetAside, raw: str, place: str
) -> None:
    broken, fine = accept(), accept()
    for kind in ("text", "hash"):
        key = f"{ledger.prefix}j:{broken}"
        ledger.link.command("DEL", key)
        ledger.link.command(*(("SET", key, raw) if kind == "text" else ("HSET", key, "a", "b")))
        ledger.link.command("ZADD", ledger.prefix + place, 1, broken)
        reap(ledger, aside)
        assert set(finish_all(ledger)) <= {fine}
        ledger.link.command("ZADD", f"{ledger.prefix}rel:normal", 1, broken)
        settled(ledger, aside)
        where = ledger.link.command("HGET", f"{ledger.prefix}aside", f"j:{broken}")
        assert where and ledger.link.command("EXISTS", where.split()[-1])
        with pytest.raises(NoSuchJob):
            ledger.read(broken)
    assert ledger.read(fine).state == "done"


def test_a_record_of_a_newer_version_is_not_set_aside(
    ledger: WorkLedger, accept: Accept, aside: SetAside
) -> None:
    job_key = accept()
    ledger.link.command("SET", f"{ledger.prefix}j:{job_key}", "3|whatever")
    ledger.link.command("ZADD", f"{ledger.prefix}rel:normal", 1, job_key)
    reap(ledger, aside)
    assert finish_all(ledger) == []
    assert ledger.link.command("GET", f"{ledger.prefix}j:{job_key}") == b"3|whatever"
    assert not ledger.link.command("EXISTS", f"{ledger.prefix}aside")


@pytest.mark.parametrize("name", ["outbox", "ambiguous", "signal", "count", "log"])
def test_what_lies_beside_a_job_does_not_stop_its_end(ledger: WorkLedger, accept: Accept, name: str) -> None:
    job_key = accept(options='{"on_done":"app.task"}')
    (work,) = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])
    assert ledger.start(job_key, work.fence).word == "go"
    replace(ledger, f"log:{job_key}" if name == "log" else name, "hash" if name != "count" else "string")
    assert ledger.step(work, DONE)[0] == "ok"
    assert ledger.read(job_key).state == "done"
    assert ledger.link.command("LLEN", f"{ledger.prefix}outbox") == 1


def test_without_its_opt_outs_bulk_waits_for_a_person(ledger: WorkLedger, accept: Accept) -> None:
    accept(lane="bulk", recipient="abc")
    urgent = accept(lane="urgent", recipient="abc")
    replace(ledger, "optout")
    for _ in range(2):
        released = ledger.release("dispatcher", WANTED | {"bulk": 5}).job_keys
        for work in ledger.claim("t", released.get("bulk", [])):
            assert ledger.start(work.job_key, work.fence).word == "back"
            ledger.step(work, ("unsent",))
    (work,) = ledger.claim("t2", released.get("urgent", [urgent]))
    assert ledger.start(urgent, work.fence).word == "go"
    assert ledger.link.command("HGET", f"{ledger.prefix}state", "lost_why") == b"without its opt-outs"


def test_without_its_budget_the_account_waits_a_window(ledger: WorkLedger, accept: Accept) -> None:
    job_key = accept()
    (work,) = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])
    replace(ledger, "bud")
    verdict = ledger.start(job_key, work.fence)
    assert verdict.word == "wait" and verdict.millis > 30_000


@pytest.mark.parametrize(
    "key", [f"{CELERY}normal", f"{CELERY}intake", WORKERS, POISON, f"{prefix('default')}webhooks"]
)
def test_a_key_that_only_commands_use_is_found_when_one_meets_it(
    link: RedisClient, aside: SetAside, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    link.command("SET", key, "somebody's")
    aside.look()
    assert link.command("EXISTS", key), "nothing was met yet"
    suspected.set()
    aside.look()
    assert not link.command("EXISTS", key)
    keys = [name.decode() for name in link.command("KEYS", "{ij1*aside:*")]
    assert len(keys) == 1 and link.command("GET", keys[0]) == b"somebody's"
    assert key in caplog.text or key.startswith(prefix("default"))


def test_putting_back_changes_nothing_where_all_is_well(ledger: WorkLedger, accept: Accept) -> None:
    accept()
    accept(not_before="+60000")
    accept(expires="+60000")
    work = ledger.claim("t", ledger.release("dispatcher", WANTED).job_keys["normal"])[0]
    ledger.start(work.job_key, work.fence)
    assert regain(ledger) == 0


def test_status_counts_what_was_set_aside(ledger: WorkLedger, accept: Accept) -> None:
    replace(ledger, "ready:normal")
    accept()
    found = status.read(ledger.link, "default")
    assert found.set_aside == 1
    assert any("1 KEYS held something else" in remark for remark in _remarks(found))


FIELDS = {
    "state": [
        "rate",
        "window_ms",
        "factor",
        "share_normal",
        "paused_until",
        "max_age",
        "pair_ms",
        "fails",
        "opened",
    ],
    "bud": ["tat", "tat_normal", "hint", "recent", "recent_at", "busy_since"],
    "groups": ["offer:en"],
    "count": ["enqueued|send_text|normal", "attempts|send_text", "released|normal"],
    "used": ["used_1"],
    "tries": ["{job_key}"],
    "possibly_sent": ["{job_key}"],
    "ending": ["{job_key}"],
}


@pytest.mark.parametrize(
    "place", [(name, field) for name, fields in FIELDS.items() for field in fields], ids=":".join
)
def test_a_field_that_holds_nonsense_stops_no_lane(
    ledger: WorkLedger, accept: Accept, aside: SetAside, place: tuple[str, str]
) -> None:
    name, field = place
    job_keys = [accept(group="offer:en", recipient="abc"), accept()]
    ledger.link.command("HSET", ledger.prefix + name, field.format(job_key=job_keys[0]), "nonsense")
    status.read(ledger.link, "default")
    for job_key in ledger.release("dispatcher", WANTED).job_keys["normal"]:
        for work in ledger.claim("t", [job_key]):
            verdict = ledger.start(work.job_key, work.fence)
            if verdict.word == "go":
                assert ledger.step(work, DONE)[0] == "ok"
            else:
                assert verdict.word == "wait", "a budget that was lost costs a window"
    reap(ledger, aside)
    status.read(ledger.link, "default")


@pytest.mark.parametrize("name", ["fence", "probe", "dispatcher", "early:{job_key}", "d:{job_key}"])
def test_a_value_that_is_nonsense_stops_no_lane(
    ledger: WorkLedger, accept: Accept, aside: SetAside, name: str
) -> None:
    job_key = accept()
    (released,) = ledger.release("dispatcher", WANTED).job_keys["normal"]
    ledger.link.command("SET", ledger.prefix + name.format(job_key=job_key), "nonsense")
    (work,) = ledger.claim("t", [released])
    assert ledger.start(job_key, work.fence).word == "go"
    assert ledger.step(work, DONE)[0] == "ok"
    reap(ledger, aside)
    assert ledger.link.command("GET", f"{ledger.prefix}j:{job_key}").startswith(b"=done|")
