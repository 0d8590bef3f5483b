"""A few minutes of ``make chaos`` in one: real kills, and mutations that prove that its oracle sees."""

from __future__ import annotations

import pytest

from tests.chaos.__main__ import main

FAULTS = (
    "kill_threads,kill_prefork_main,deploy_threads,redis_killed,accept_answer_lost,step_answer_lost,poison,fuzz,"
    "frozen_worker,wrong_types,no_sent_at,all_ambiguous"
)


@pytest.mark.timeout(3600)
def test_nothing_is_lost_and_nothing_is_doubled(capsys: pytest.CaptureFixture[str]) -> None:
    broken = main(["--short", "--only", FAULTS])
    assert not broken, capsys.readouterr().out
