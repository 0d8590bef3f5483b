"""The house: who imports whom, the Procfile, what an import costs and reads."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "interakt_jobs": set(),
    "config": set(),
    "schemas": set(),
    "sandbox": set(),
    "tasks": {"interakt_jobs"},
    "worker": {"tasks", "interakt_jobs", "schemas", "config"},
}


def imports_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_run_one_way(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        ours = imports_of(file) & set(MAY_IMPORT)
        assert ours <= MAY_IMPORT[package] | {package}, f"{file.relative_to(ROOT)} imports {sorted(ours)}"


def procfile() -> dict[str, list[str]]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {
        name: shlex.split(command) for name, _, command in (line.partition(": ") for line in lines if line)
    }


def queues_of(command: list[str]) -> set[str]:
    return set(command[command.index("-Q") + 1].split(",")) if "-Q" in command else set()


def test_every_queue_has_a_consumer_and_bulk_one_of_its_own() -> None:
    from tasks.app import app

    commands = procfile()
    consumed = set().union(*(queues_of(command) for command in commands.values()))
    assert consumed == {queue.name for queue in app.conf.task_queues}
    assert queues_of(commands["bulk"]) == {"bulk"}
    assert "bulk" not in queues_of(commands["worker"])


def test_the_procfile_starts_celery_as_a_module_so_that_the_checkout_stays_importable() -> None:
    for name in ("worker", "bulk", "beat"):
        assert procfile()[name][:3] == ["python", "-m", "celery"]


def run_alone(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_tasks_with_an_empty_environment_loads_nothing_heavy_and_reads_no_setting() -> None:
    code = (
        "import os\n"
        "class Watched(dict):\n"
        "    def get(self, name, default=None):\n"
        "        assert not str(name).startswith(('INTERAKT_', 'REDIS_URL', 'SENTRY_')), name\n"
        "        return dict.get(self, name, default)\n"
        "os.environ = Watched(os.environ)\n"
        "import sys, tasks\n"
        "print(sorted({'requests', 'sentry_sdk', 'marshmallow', 'phonenumbers', 'config.celery'} & set(sys.modules)))"
    )
    assert run_alone(code).strip() == "[]"


def test_importing_tasks_leaves_the_hosts_current_app_alone() -> None:
    code = (
        "from celery import Celery, current_app\nhost = Celery('host')\nimport tasks\nprint(current_app.main)"
    )
    assert run_alone(code).strip() == "host"


def test_every_operation_has_a_task_of_its_name() -> None:
    import tasks
    from interakt_jobs import OPERATIONS

    assert set(tasks.__all__) == set(OPERATIONS)
    assert {getattr(tasks, name).name for name in tasks.__all__} == {
        f"interakt.{name}" for name in OPERATIONS
    }


def test_no_file_holds_a_registrys_host() -> None:
    for file in (ROOT / "requirements").glob("*"):
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", file.read_text())
