"""Lua scripts as files. A first line ``--! allow-oom include a b`` puts ``a.lua`` and ``b.lua`` in front.

``allow-oom`` lets a script run when Redis is at its maxmemory: what has begun must be able to end (Redis: "Scripting with
Lua", script flags; needs Redis 7 or Valkey).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

OWN = "interakt_jobs/ledger/lua"


@dataclass(frozen=True, slots=True)
class Script:
    """One script's text and the digest that EVALSHA wants."""

    name: str
    text: str
    sha: str


def _read(folders: tuple[str, ...], name: str) -> str:
    for folder in folders:
        package, _, rest = folder.partition("/")
        file = resources.files(package).joinpath(rest, f"{name}.lua")
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise FileNotFoundError(f"no Lua file {name!r} in {', '.join(folders)}")


def load(name: str, folder: str = OWN, parts: tuple[str, ...] = ()) -> Script:
    """Read ``folder/name.lua``; what it includes is looked for in ``parts``, then among the package's own."""
    text = _read((folder,), name)
    first, _, rest = text.partition("\n")
    pieces = []
    if first.startswith("--!"):
        flag, _, names = first.removeprefix("--!").partition("include")
        pieces = ["#!lua flags=allow-oom"] if "allow-oom" in flag else []
        pieces += [_read((*parts, OWN), part) for part in names.split()]
        text = rest
    whole = "\n".join([*pieces, text])
    return Script(name, whole, hashlib.sha1(whole.encode()).hexdigest())  # noqa: S324  EVALSHA's own digest
