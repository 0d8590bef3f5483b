"""Each mutation of the chaos rows still finds the text that it changes, however the scripts are reworded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("mutation", ["no_reaper", "no_sent_at", "all_ambiguous", "no_budget", "ended_twice"])
def test_a_mutation_finds_what_it_changes(mutation: str) -> None:
    command = [sys.executable, "-c", "import tests.chaos.mutant"]
    done = subprocess.run(
        command, env={**os.environ, "CHAOS_MUTATION": mutation}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
