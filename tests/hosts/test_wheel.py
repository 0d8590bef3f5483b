"""The wheel: what is in it, and what it asks for."""

from __future__ import annotations

import email
import re
from pathlib import Path
from zipfile import ZipFile

from .environments import ROOT


def test_it_holds_interakt_jobs_alone_and_all_of_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = ROOT / "interakt_jobs"
    files = {*package.rglob("*.py"), *package.rglob("*.lua"), package / "py.typed"}
    assert names == {str(file.relative_to(ROOT)) for file in files}


def test_it_asks_for_celery_with_redis_alone_and_gives_pytest_its_fixture(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
        points = archive.read(f"{folder}/entry_points.txt").decode()
    assert re.fullmatch(r"celery\[redis\][<>=,.\d]+", metadata["Requires-Dist"])
    assert len(metadata.get_all("Requires-Dist", [])) == 1
    assert points.split() == ["[pytest11]", "interakt_jobs", "=", "interakt_jobs.pytest_plugin"]
