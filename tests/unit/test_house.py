"""The house: who imports whom, the Procfile, what an import costs and reads."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import BEGIN, END, cycles, drawn, graph

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "interakt_jobs": set(),
    "config": set(),
    "schemas": set(),
    "sandbox": set(),
    "tasks": {"interakt_jobs"},
    "worker": {"tasks", "interakt_jobs", "schemas", "config"},
}


def test_no_two_folders_import_each_other() -> None:
    assert cycles(graph()) == []


def test_the_map_in_contributing_is_as_the_folders_are() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == drawn().strip(), "run: python -m tests.house"


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


def test_commands_show_text_through_one_function() -> None:
    for file in (ROOT / "worker" / "cli").glob("*.py"):
        direct = re.search(r"click\.s?echo\(|(?<!\.)\bprint\(|\bConsole\(", file.read_text())
        assert file.name == "common.py" or direct is None, f"{file.name}: use say, show_json or terminal"


def test_examples_need_no_tests() -> None:
    for file in (ROOT / "examples").rglob("*.py"):
        assert "tests" not in imports_of(file), file.relative_to(ROOT)


HURRY = re.compile(r"(?:monotonic|perf_counter|time)\(\) - \w+ <=? |\btimeout=")


def test_no_test_is_in_a_hurry() -> None:
    """A limit on how long something takes is one that only a fault reaches: half a minute at least."""
    for file in (ROOT / "tests").rglob("test_*.py"):
        if file.parent.name in ("system", "hosts", "pages"):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                for found in HURRY.finditer(line):
                    limit = re.match(r"\d+(?:\.\d+)?\b", line[found.end() :])
                    place = f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
                    assert limit is None or float(limit[0]) >= 29, f"{place}: half a minute at least"


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


def test_a_message_to_one_queue_goes_to_no_other() -> None:
    from tasks.app import app

    for queue in app.conf.task_queues:
        assert queue.exchange.name == queue.routing_key == queue.name


def test_the_procfile_starts_modules_so_that_the_checkout_stays_importable() -> None:
    assert {tuple(command[:2]) for command in procfile().values()} == {("python", "-m")}


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
        "    def seen(self, name):\n"
        "        assert not str(name).startswith(('INTERAKT_', 'REDIS_URL', 'SENTRY_')), name\n"
        "        return name\n"
        "    def __contains__(self, name):\n"
        "        return dict.__contains__(self, self.seen(name))\n"
        "    def __getitem__(self, name):\n"
        "        return dict.__getitem__(self, self.seen(name))\n"
        "    def get(self, name, default=None):\n"
        "        return dict.get(self, self.seen(name), default)\n"
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


def test_no_requirement_names_an_index() -> None:
    for file in (ROOT / "requirements").glob("*"):
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", file.read_text()), file


def test_the_pinned_files_hold_what_redis_needs_on_the_oldest_python() -> None:
    for name in ("runtime", "dev"):
        assert "\nasync-timeout==" in (ROOT / "requirements" / f"{name}.txt").read_text()


def test_every_chosen_dependency_has_its_reason_in_the_readme() -> None:
    reasons = (ROOT / "README.md").read_text().partition("## Dependencies")[2]
    for name in ("runtime", "dev"):
        for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines():
            package = re.split(r"[\[=<> ]", line)[0]
            assert package in ("-r", "") or package in reasons, package


def test_the_readme_has_every_operation() -> None:
    from interakt_jobs import OPERATIONS

    table = (ROOT / "README.md").read_text().partition("## Operations")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) >= set(OPERATIONS)


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def anchors(page: Path) -> set[str]:
    """The names that a page's headings have as the target of a link."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in readme, page.name


def sources() -> list[Path]:
    found = [ROOT / "Makefile", ROOT / "Procfile", *pages(), *(ROOT / "requirements").glob("*.in")]
    for folder in (*MAY_IMPORT, "tests", "bench", "examples"):
        for ending in ("py", "lua", "toml", "csv"):
            found += [file for file in (ROOT / folder).rglob(f"*.{ending}") if ".venvs" not in file.parts]
    return found


def test_nothing_is_left_to_do_and_no_file_knows_one_machine() -> None:
    left = re.compile(
        r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b|/ro" + r"ot/|/ho" + r"me/\w"
    )
    for file in sources():
        found = left.search(file.read_text(encoding="utf-8"))
        assert found is None, f"{file.relative_to(ROOT)}: {found}"
