"""Lua scripts as files. ``require 'name'`` in a script brings in the module ``name.lua``; ``prelude.lua`` stands before all.
The modules ``constants`` and ``recipient_numbers`` are generated from the tables of the Python modules of these names.

A module is made when it is first required during a call, so that what a call does not use costs it nothing. A first line
``#!lua flags=allow-oom`` lets a script run when Redis is at its maxmemory: what has begun must be able to end (Redis:
"Scripting with Lua", script flags; needs Redis 7 or Valkey).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

from . import constants, recipient_numbers

OWN = "interakt_jobs/ledger/lua"
_GENERATED = {"constants": constants.TABLES, "recipient_numbers": recipient_numbers.TABLES}
_REQUIRE = re.compile(r"\brequire *\(?'(\w+)'")
_LINE = re.compile(r"(?:@?user_script|\bscript):? *(\d+)")
_LOADER = """local modules, made = {}, {}
local function require(name)
  if not made[name] then made[name] = modules[name]() end
  return made[name]
end"""


@dataclass(frozen=True, slots=True)
class Script:
    """One script: its text, the digest that EVALSHA wants, and where in the text each file begins."""

    name: str
    text: str
    sha: str
    files: tuple[tuple[int, str], ...] = ()

    def place(self, message: str) -> str:
        """The file and line that an error of Redis's means, as ``budget.lua:12``; empty when it names none."""
        found = _LINE.search(message)
        at = int(found[1]) if found else 0
        for first, file in reversed(self.files):
            if at >= first:
                return f"{file}:{at - first + 1}"
        return ""


def _read(folders: tuple[str, ...], name: str) -> str:
    if tables := _GENERATED.get(name):
        return f"return {constants.as_lua(tables)}"
    for folder in folders:
        package, _, rest = folder.partition("/")
        file = resources.files(package).joinpath(rest, f"{name}.lua")
        if file.is_file():
            return file.read_text(encoding="utf-8").rstrip("\n")
    raise FileNotFoundError(f"no Lua file {name!r} in {', '.join(folders)}")


def _required(text: str, folders: tuple[str, ...], found: dict[str, str]) -> dict[str, str]:
    """The modules that ``text`` and its modules require, by name."""
    for name in _REQUIRE.findall(text):
        if name not in found:
            found[name] = _read(folders, name)
            _required(found[name], folders, found)
    return found


def load(name: str, *folders: str) -> Script:
    """The script ``name.lua`` of the first folder; modules are looked for in all, then among the package's own."""
    return bundle(name, _read((*folders, OWN)[:1], name), *folders)


def bundle(name: str, text: str, *folders: str) -> Script:
    """A script of ``text`` and the modules that it requires."""
    modules = _required(text, (*folders, OWN), {})
    lines: list[str] = []
    files: list[tuple[int, str]] = []

    def add(part: str, file: str) -> None:
        files.append((len(lines) + 1, file))
        lines.extend(part.split("\n"))

    if text.startswith("#!"):
        flags, _, text = text.partition("\n")
        lines.append(flags)
    add(_read((OWN,), "prelude"), "prelude.lua")
    if modules:
        lines.extend(_LOADER.split("\n"))
    for module, body in modules.items():
        lines.append(f"modules.{module} = function()")
        add(body, f"{module}.lua")
        lines.append("end")
    add(text, f"{name}.lua")
    whole = "\n".join(lines) + "\n"
    return Script(name, whole, hashlib.sha1(whole.encode()).hexdigest(), tuple(files))  # noqa: S324  EVALSHA's own
