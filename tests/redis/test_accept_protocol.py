"""Accept as a protocol that other languages speak: what is malformed is refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from interakt_jobs.errors import LedgerRefused
from interakt_jobs.ledger.client import ACCEPT
from worker.ledger.work_ledger import WorkLedger

from .test_ledger import DONE, run_to_start

FINE = ["send_text", "crs", "normal", "", "", "never", "8", "0", "60", "", ""]
JOB = ["0" * 32, "abc", "offer:en", "", "{}", "", ""]


def changed(place: int, value: str) -> list[str]:
    arguments = [*FINE, *JOB]
    arguments[place] = value
    return arguments


BAD: dict[str, list[str]] = {
    "no job": FINE,
    "half a job": [*FINE, *JOB[:5]],
    "a bar in the operation": changed(0, "send|text"),
    "flags that are none": changed(1, "c|s"),
    "an unknown lane": changed(2, "express"),
    "a time that is none": changed(3, "nan"),
    "a time before time": changed(4, "-5"),
    "a time in hex": changed(4, "0x10"),
    "an endless time": changed(4, "1e300"),
    "an unknown policy": changed(5, "often"),
    "half an attempt": changed(6, "1.5"),
    "no time for a key": changed(8, "0"),
    "a bar in the key id": changed(9, "a|b"),
    "a traceparent that is none": changed(10, "00-xyz"),
    "a line in the job_key": changed(11, "a\nb"),
    "an empty job_key": changed(11, ""),
    "a long job_key": changed(11, "a" * 81),
    "a bar in the recipient": changed(12, "a|b"),
    "a line in the group": changed(13, "a\n1|send_text"),
    "options that are no JSON": changed(14, "{"),
    "options of two lines": changed(14, '{"on_done":\n"a.b"}'),
    "options too deep": changed(14, "[" * 2000 + "]" * 2000),
    "a task that is no text": changed(14, '{"on_done":{"a":1}}'),
    "codes that are no list": changed(14, '{"resend_on":5}'),
    "options that are a number": changed(14, "7"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_malformed_is_refused_and_nothing_is_written(ledger: WorkLedger, case: str) -> None:
    before = sorted(ledger.link.command("KEYS", "*"))
    with pytest.raises(LedgerRefused, match="accept"):
        ledger.link.run(ACCEPT, [ledger.prefix], *BAD[case])
    assert sorted(ledger.link.command("KEYS", "*")) == before


@pytest.mark.parametrize("payload", ["", "{", "\xff\n\n|", "[" * 5000, "{}\n\n1|send_text"])
def test_any_payload_travels_to_its_end(ledger: WorkLedger, payload: str) -> None:
    arguments: list[Any] = [*FINE, *JOB]
    arguments[15] = payload.encode("latin-1")
    assert ledger.link.run(ACCEPT, [ledger.prefix], *arguments) == [b"new"]
    work = run_to_start(ledger)
    assert work.record.split("\n", 2)[2].encode(errors="surrogateescape") == arguments[15]
    assert ledger.step(work, DONE)[0] == "ok"
    assert ledger.read(work.job_key).state == "done"


def test_the_longest_times_are_kept_exactly(ledger: WorkLedger) -> None:
    ledger.link.run(ACCEPT, [ledger.prefix], *changed(4, "9007199254740991"))
    assert ledger.read("0" * 32).expires == 9007199254740991
