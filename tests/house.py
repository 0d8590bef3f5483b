"""Who imports whom: ``python -m tests.house`` writes the map into CONTRIBUTING.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("interakt_jobs", "config", "schemas", "tasks", "worker", "sandbox")
BEGIN, END = "<!-- map -->\n", "<!-- end of map -->\n"


def files() -> dict[str, Path]:
    """The modules of the packages by their dotted name."""
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported(name: str, file: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that a module imports, at its top or inside a function."""
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                if inner in known:
                    yield inner
                elif module in known:
                    yield module


def place(name: str, known: dict[str, Path]) -> str:
    """Where a module stands: its folder, or the module itself for a file at the top of a package with folders."""
    folder = known[name].parent.relative_to(ROOT)
    has_folders = any(path.is_dir() and (path / "__init__.py").exists() for path in (ROOT / folder).iterdir())
    return name if has_folders and known[name].name != "__init__.py" else ".".join(folder.parts)


def graph() -> dict[str, set[str]]:
    """Place -> the places that it imports."""
    known = files()
    found: dict[str, set[str]] = {}
    for name, file in known.items():
        here = place(name, known)
        found.setdefault(here, set()).update(place(other, known) for other in imported(name, file, known))
    return {here: others - {here} for here, others in found.items()}


def cycles(found: dict[str, set[str]]) -> list[list[str]]:
    """Places that reach themselves, as paths."""
    reached: dict[str, bool] = {}
    circles: list[list[str]] = []

    def walk(here: str, path: list[str]) -> None:
        if here in path:
            circles.append([*path[path.index(here) :], here])
        elif not reached.get(here):
            for other in sorted(found.get(here, ())):
                walk(other, [*path, here])
            reached[here] = True

    for start in sorted(found):
        walk(start, [])
    return circles


def drawn() -> str:
    """The map as a table: each folder, what it is about, and what it imports of ours."""
    known = files()
    lines = ["| folder | files | what | imports of ours |", "|---|---|---|---|"]
    for folder in sorted({place(name, known) for name in known if known[name].name == "__init__.py"}):
        what = (ast.get_docstring(ast.parse(known[folder].read_text())) or "").split("\n")[0]
        mine = [name for name in known if ".".join(known[name].parent.relative_to(ROOT).parts) == folder]
        others: set[str] = set()
        for name in mine:
            others |= {
                ".".join(known[o].parent.relative_to(ROOT).parts) for o in imported(name, known[name], known)
            }
        named = ", ".join(f"`{other.replace('.', '/')}`" for other in sorted(others - {folder})) or "nothing"
        lines.append(f"| `{folder.replace('.', '/')}/` | {len(mine)} | {what} | {named} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{drawn()}\n{END}{rest.partition(END)[2]}")
