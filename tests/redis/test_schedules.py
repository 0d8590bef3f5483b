"""Schedules on a real server: each slot is one job, whatever ticks come; changes, pauses and the file."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from interakt_jobs import configure
from interakt_jobs.errors import LedgerUnreachable
from worker.cli import main
from worker.ledger.work_ledger import WorkLedger
from worker.schedules import static
from worker.schedules.definition import Schedule, read
from worker.schedules.errors import NoSuchSchedule, Refused, ScheduleError
from worker.schedules.failures import FailedSlots, tail_of
from worker.schedules.store import INDEX, PREFIX, Schedules
from worker.schedules.tick import accept, tick

from .test_dead_letters import kill

PAYLOAD = {"countryCode": "+91", "phoneNumber": "9999999999", "event": "Hello"}
ENTRY = {"every": "1h", "run": "track_event", "payload": PAYLOAD}


@pytest.fixture
def schedules(redis_url: str, ledger: WorkLedger) -> Schedules:
    configure(redis_url)
    return Schedules(ledger.link)


@pytest.fixture(autouse=True)
def no_producer() -> object:
    yield
    configure(None)


def due(schedules: Schedules, ago: float = 0.0, name: str = "it", **fields: object) -> int:
    """Add a schedule whose newest slot was ``ago`` seconds ago; that slot."""
    slot = int(schedules.now() - ago)
    schedules.add(make(name, start=_iso(slot), **fields))
    schedules.link.command("HSET", f"{PREFIX}{name}", "since", slot - 1)
    return slot


def make(name: str = "it", **fields: object) -> Schedule:
    return read(name, {**ENTRY, **fields})


def _iso(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))


def score(schedules: Schedules, name: str = "it") -> float:
    return float(schedules.link.command("ZSCORE", INDEX, f"{PREFIX}{name}"))


def jobs(ledger: WorkLedger) -> int:
    return sum(ledger.link.command("ZCARD", f"{ledger.prefix}ready:{lane}") for lane in ("normal", "bulk"))


def test_a_slot_is_one_job_however_many_ticks_come_at_once(schedules: Schedules, ledger: WorkLedger) -> None:
    slot = due(schedules)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(tick(schedules, "it"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs(ledger) == 1
    found = schedules.get("it")
    assert set(made) <= {f"ij1.default.{tail_of('it', slot)}", "nothing is due"}
    assert (found.runs, found.missed, found.last) == (1, 0, slot)
    assert found.job == f"ij1.default.{tail_of('it', slot)}"
    assert score(schedules) == slot + 3600


def test_a_tick_that_dies_after_its_job_was_accepted_makes_no_second_one(
    schedules: Schedules, ledger: WorkLedger
) -> None:
    due(schedules)

    def dies(schedule: Schedule, job_key: str) -> str:
        accept(schedule, job_key)
        raise LedgerUnreachable("cut off")

    with pytest.raises(LedgerUnreachable):
        tick(schedules, "it", dies)
    assert schedules.get("it").runs == 0
    tick(schedules, "it")
    assert (jobs(ledger), schedules.get("it").runs) == (1, 1)


def test_a_job_that_has_ended_is_not_made_again(schedules: Schedules, ledger: WorkLedger) -> None:
    slot = due(schedules)
    tick(schedules, "it")
    job_key = tail_of("it", slot)
    ledger.cancel(job_key)
    ledger.link.command("HSET", f"{PREFIX}it", "last", slot - 1)  # as if the guard had been lost too
    tick(schedules, "it")
    assert jobs(ledger) == 0


@pytest.mark.parametrize(
    ("fields", "ago", "runs"),
    [
        ({}, 1800, 1),
        ({}, 3700, 1),  # the slot of an hour ago is too late, the one after it is not
        ({"every": "1d"}, 3700, 0),
        ({"every": "1d", "late": "2h"}, 3700, 1),
        ({"every": "1d", "missed": "skip"}, 30, 1),
        ({"every": "1d", "missed": "skip"}, 90, 0),
    ],
)
def test_a_missed_slot_follows_its_rule(
    schedules: Schedules, ledger: WorkLedger, fields: dict[str, str], ago: int, runs: int
) -> None:
    due(schedules, ago, **fields)
    tick(schedules, "it")
    found = schedules.get("it")
    assert (found.runs, jobs(ledger)) == (runs, runs)
    assert ("late" in found.error) == (not runs)
    assert tick(schedules, "it") == "nothing is due"


def test_of_many_missed_slots_the_newest_runs_once(schedules: Schedules, ledger: WorkLedger) -> None:
    due(schedules, 600, every="1m")
    tick(schedules, "it")
    found = schedules.get("it")
    assert (found.runs, found.missed, jobs(ledger)) == (1, 10, 1)


def test_a_paused_schedule_makes_nothing_and_makes_up_for_nothing(
    schedules: Schedules, ledger: WorkLedger
) -> None:
    slot = due(schedules)
    schedules.pause("it")
    assert score(schedules) == -1
    assert tick(schedules, "it") == "nothing is due"
    schedules.resume("it")
    assert tick(schedules, "it") == "nothing is due"
    assert (jobs(ledger), score(schedules)) == (0, slot + 3600)


def test_a_change_keeps_the_counts_and_looks_ahead(schedules: Schedules) -> None:
    due(schedules)
    tick(schedules, "it")
    before = schedules.get("it")
    schedules.change(make(every="1s"), before)
    found = schedules.get("it")
    assert (found.runs, found.schedule.when.seconds) == (1, 1)  # type: ignore[union-attr]
    assert found.mark >= before.last
    with pytest.raises(Refused, match="changed meanwhile"):
        schedules.change(make(every="2s"), before)


def test_a_name_is_one_schedule(schedules: Schedules) -> None:
    schedules.add(make())
    with pytest.raises(Refused, match="already"):
        schedules.add(make(every="2h"))
    assert schedules.names() == ["it"]
    assert schedules.remove("it")
    assert not schedules.remove("it")
    assert tick(schedules, "it") == "no schedule 'it'"
    for hostile in ("", "*", ":schedule", "a\nb", "it:x"):
        with pytest.raises(NoSuchSchedule):
            schedules.get(hostile)


def test_what_cannot_be_accepted_is_told_and_passed_over(schedules: Schedules, ledger: WorkLedger) -> None:
    due(schedules, account="nobody")
    assert "no worker ever registered" in tick(schedules, "it")
    found = schedules.get("it")
    assert (found.runs, jobs(ledger)) == (0, 0)
    assert "nobody" in found.error
    assert tick(schedules, "it") == "nothing is due"
    schedules.remove("it")
    due(schedules)
    tick(schedules, "it")
    assert schedules.get("it").error == ""


def test_a_payload_that_was_changed_after_its_slot_ran_does_not_run_again(
    schedules: Schedules, ledger: WorkLedger
) -> None:
    slot = due(schedules)
    tick(schedules, "it")
    schedules.change(make(start=_iso(slot), payload={**PAYLOAD, "event": "Other"}), schedules.get("it"))
    schedules.link.command("HSET", f"{PREFIX}it", "last", slot - 1, "since", slot - 1)
    tick(schedules, "it")
    assert jobs(ledger) == 1


def test_one_that_this_version_cannot_read_stops_no_other(schedules: Schedules, redis_url: str) -> None:
    for name in ("good", "bad"):
        schedules.add(make(name))
    schedules.link.command(
        "HSET", f"{PREFIX}bad", "table", '{"every": "1h", "run": "send_pigeon", "payload": {}}'
    )
    clean = {name: None for name in os.environ if name.startswith("INTERAKT_")}

    def command(*words: str) -> str:
        return CliRunner().invoke(main, ["schedule", *words], env={**clean, "REDIS_URL": redis_url}).output

    text = command("list")
    assert "bad: this version cannot read it" in text
    assert "good: every 1h" in text
    assert "no beat is active" in text
    assert "no such operation" in tick(schedules, "bad")
    assert "gone" in command("remove", "bad")
    assert schedules.names() == ["good"]


def test_a_full_redis_lets_schedules_be_paused_and_marked(schedules: Schedules) -> None:
    due(schedules)
    schedules.link.command("CONFIG", "SET", "maxmemory", "1mb")
    try:
        found = schedules.get("it")
        assert schedules.mark(found, found.mark + 1, ran=False, missed=1, facts={"error": "x"}, score=-1)
        schedules.pause("it")
        assert schedules.get("it").paused
    finally:
        schedules.link.command("CONFIG", "SET", "maxmemory", "0")


def test_the_file_makes_changes_and_takes_out_its_own_and_leaves_others(
    schedules: Schedules, tmp_path: Path
) -> None:
    payload = '{ phoneNumber = "9999999999", countryCode = "+91", event = "x" }'
    text = f'[one]\nevery = "1h"\nrun = "track_event"\npayload = {payload}\n'
    file = tmp_path / "schedule.toml"
    schedules.add(make("mine"))
    file.write_text(text + text.replace("[one]", "[two]"))
    assert static.install(schedules, static.load(file)) == ["one", "two"]
    schedules.pause("one")
    schedules.link.command("HSET", f"{PREFIX}two", "last", 17, "runs", 3)
    assert static.install(schedules, static.load(file)) == []
    assert schedules.get("one").paused
    file.write_text(text.replace("[one]", "[two]").replace("1h", "2h"))
    assert static.install(schedules, static.load(file)) == ["one", "two"]
    assert schedules.names() == ["mine", "two"]
    assert schedules.get("two").runs == 3
    assert static.install(schedules, static.load()) == ["two"]
    assert schedules.names() == ["mine"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one = 1", "one.cron"),
        ("[one\n", "not TOML"),
        ("[one]\ncron = '* * * * *'\nrun = 'no'\n[TWO]\n", "TWO.name"),
        ("\ud800", "not TOML in UTF-8"),
    ],
)
def test_every_mistake_in_the_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "schedule.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ScheduleError, match=told):
        static.load(file)
    with pytest.raises(ScheduleError):
        static.load(tmp_path / "none.toml")


def fails(
    ledger: WorkLedger, accept: Callable[..., str], name: str, slot: int, error: str = "no such file"
) -> str:
    """A slot's job is accepted and dies; its job_key."""
    return kill(ledger, accept, reason="invalid_payload", error=error, job_key=tail_of(name, slot))


def test_a_slot_whose_job_dies_is_shown_logged_and_sounded_once(
    schedules: Schedules, ledger: WorkLedger, accept: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    slot = due(schedules)
    tick(schedules, "it")
    (work,) = ledger.claim("worker", ledger.release("dispatcher", {"normal": 1}).job_keys["normal"])
    assert ledger.start(work.job_key, work.fence).word == "go"
    ledger.step(work, ("dead", "invalid_payload", "definition: no such file", "", ""))
    for watch in (FailedSlots(), FailedSlots()):  # another process looks too
        watch(ledger)
    found = schedules.get("it")
    assert (found.failed, found.runs) == (1, 1)
    assert found.error == "invalid_payload: definition: no such file"
    assert found.failures == (f"{_iso(slot)} invalid_payload: definition: no such file",)
    told = [record for record in caplog.records if getattr(record, "action", "") == "schedule_failed"]
    assert [record.job for record in told] == [f"ij1.default.{work.job_key}"]  # type: ignore[attr-defined]
    assert told[0].levelname == "CRITICAL"


def test_every_failed_slot_is_kept_though_the_next_ones_run_or_die_first(
    schedules: Schedules, ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    slot = due(schedules, 200, every="1m")
    watch = FailedSlots(every=0)
    fails(ledger, accept, "it", slot + 120)
    watch(ledger)
    tick(schedules, "it")  # the newest slot is accepted
    assert schedules.get("it").error == ""
    ledger.cancel(tail_of("it", slot + 180))
    fails(ledger, accept, "it", slot + 60)
    watch(ledger)
    found = schedules.get("it")
    assert (found.failed, found.error) == (2, ""), "an older slot is not the last one"
    assert [line.partition("+")[0] for line in found.failures] == [
        _iso(at).partition("+")[0] for at in (slot + 60, slot + 120)
    ]


def test_dead_letters_of_others_and_of_schedules_that_are_gone_are_no_matter(
    schedules: Schedules, ledger: WorkLedger, accept: Callable[..., str]
) -> None:
    due(schedules)
    kill(ledger, accept)
    fails(ledger, accept, "gone", 1_700_000_000)
    kill(ledger, accept, job_key="schedule.it.yesterday")
    FailedSlots()(ledger)
    assert schedules.get("it").failed == 0
    assert schedules.names() == ["it"]


@pytest.mark.parametrize(
    ("fields", "ago", "why"),
    [({"every": "1d"}, 3700, "missed: 37"), ({"account": "nobody"}, 0, "refused: no worker ever registered")],
)
def test_a_slot_that_makes_no_job_is_sounded_too(
    schedules: Schedules, fields: dict[str, str], ago: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    due(schedules, ago, **fields)
    tick(schedules, "it")
    found = schedules.get("it")
    assert found.failed == 1
    assert found.error.startswith(why) and why in found.failures[0]
    assert [getattr(record, "action", "") for record in caplog.records].count("schedule_failed") == 1


def test_a_change_takes_the_error_of_before_away(schedules: Schedules) -> None:
    due(schedules, account="nobody")
    tick(schedules, "it")
    found = schedules.get("it")
    schedules.change(make(every="2h"), found)
    assert (schedules.get("it").error, schedules.get("it").failed) == ("", 1)
