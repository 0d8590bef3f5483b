"""Every pattern of the tree, Python's and Lua's: its steps grow no faster than its text, whatever the text is."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.steps import Matcher, TooMany, hostile, parsed

ROOT = Path(__file__).resolve().parents[2]
TREE = ("worker", "interakt_jobs", "schemas", "tasks", "config", "sandbox", "bench", "examples")
METHODS = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})
SIZE, MOST_GROWTH, MOST_STEPS = 100, 3.2, 40_000
# What is no text in the source, and why that is fine.
MADE = {
    "schemas/phones.py": "phonenumbers' own, asked of at most 15 digits",
    "worker/campaigns/recipients/phones.py": "phonenumbers' own, asked of at most 15 digits",
    "worker/ledger/dead_letters.py": "the operator's own, asked of errors of at most 2,000 characters",
    "worker/cli/dead_letters.py": "the same",
    "examples/document.py": "its own words, asked of a file of this tree",
    "interakt_jobs/ledger/lua/campaigns.lua": "a name of our own and digits",
}


class Pattern(NamedTuple):
    """Where a pattern is, what it is (None when it is no text in the source), and how it is used."""

    file: str
    line: int
    text: str | bytes | None
    flags: int = 0
    mode: str = "search"


def of_python(file: Path) -> Iterator[Pattern]:
    tree = ast.parse(file.read_text("utf-8"))
    used: dict[str, set[str]] = defaultdict(set)
    named: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            used[getattr(node.value, "attr", getattr(node.value, "id", ""))].add(node.attr)
        elif isinstance(node, ast.Assign):
            named[id(node.value)] = getattr(node.targets[0], "id", "")
        elif isinstance(node, ast.ImportFrom):
            assert node.module != "re", f"{file}: import re, so that its patterns are found"
    place = str(file.relative_to(ROOT))
    inside = {
        id(one) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for one in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(getattr(node.func, "value", None), "id", "") != "re":
            continue
        assert isinstance(node.func, ast.Attribute)
        method = node.func.attr
        if method not in METHODS | {"compile"}:
            continue
        # one that is imported elsewhere may be searched for there
        modes = used[named.get(id(node), "")] if method == "compile" else {method}
        mode = next(iter(modes)) if len(modes) == 1 and modes <= {"match", "fullmatch"} else "search"
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
            flags = sum(map(flag_of, node.args[1:2])) if method == "compile" else 0
            yield Pattern(place, node.lineno, first.value, flags, mode)
        elif id(node) in inside:
            yield Pattern(place, node.lineno, None)
        else:  # made of parts when the module is loaded
            module = import_module(place.removesuffix(".py").replace("/", "."))
            for one in compiled(vars(module)):
                yield Pattern(place, node.lineno, one.pattern, one.flags, mode)


def compiled(names: dict[str, object]) -> Iterator[re.Pattern[str]]:
    """The patterns among a module's names, and in its tuples."""
    found = [*names.values()]
    while found:
        one = found.pop()
        if isinstance(one, re.Pattern):
            yield one
        elif isinstance(one, tuple | list):
            found += one


def flag_of(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp):
        return flag_of(node.left) | flag_of(node.right)
    assert isinstance(node, ast.Attribute)
    return int(getattr(re, node.attr))


CLASSES = {"a": "A-Za-z", "d": "0-9", "w": "A-Za-z0-9", "c": r"\x00-\x1f\x7f", "s": r"\s"}


def of_lua(file: Path) -> Iterator[Pattern]:
    text = re.sub(r"--.*", "", file.read_text("utf-8"))
    for call in re.finditer(r"string\.(match|find|gmatch|gsub)\(", text):
        given = arguments(text, call.end())
        if given[3:] == ["true"]:  # a plain search
            continue
        literal = re.fullmatch(r"'([^']*)'", given[1])
        line = text[: call.start()].count("\n") + 1
        yield Pattern(str(file.relative_to(ROOT)), line, literal and from_lua(literal[1]), re.DOTALL)


def arguments(text: str, at: int) -> list[str]:
    """The arguments of a call whose bracket opens before ``at``."""
    found, depth = [""], 0
    for part in re.findall(r"'[^']*'|\"[^\"]*\"|.", text[at:], re.DOTALL):
        if part == ")" and not depth:
            return [one.strip() for one in found]
        depth += (part == "(") - (part == ")")
        if part == "," and not depth:
            found.append("")
        else:
            found[-1] += part
    raise AssertionError("the bracket is not closed")


def from_lua(text: str) -> str:
    """A pattern of Lua's as one of Python's."""
    found, inside = "", False
    for part in re.findall(r"%.|\\.|.", text):
        if part[0] == "%":
            letters = CLASSES.get(part[1], re.escape(part[1]))
            found += letters if inside else f"[{letters}]"
        elif part == "-" and found and not inside:
            found += "*?"
        elif part in "|{}" and not inside:
            found += "\\" + part
        else:
            inside = part == "[" or (inside and part != "]")
            found += r"\A" if part == "^" and not found else r"\Z" if part == "$" else part
    return found


def all_patterns() -> list[Pattern]:
    files = [file for name in TREE for file in sorted((ROOT / name).rglob("*"))]
    python = [one for file in files if file.suffix == ".py" for one in of_python(file)]
    return python + [one for file in files if file.suffix == ".lua" for one in of_lua(file)]


PATTERNS = all_patterns()


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    """The matcher calls itself some six times for each character."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    yield
    sys.setrecursionlimit(before)


def growth(pattern: Pattern) -> tuple[float, str]:
    """How many times as many steps twice the text takes at worst, and the text."""
    assert pattern.text is not None
    tree, flags = parsed(pattern.text, pattern.flags)
    worst = (0.0, "")
    for make in hostile(tree, flags):
        text = make(SIZE)
        try:
            steps = Matcher(tree, flags, text, MOST_STEPS).whole(pattern.mode)
            if steps > 12 * len(text):
                twice = Matcher(tree, flags, make(2 * SIZE), MOST_STEPS).whole(pattern.mode)
                worst = max(worst, (twice / steps, text))
        except TooMany:
            return float("inf"), text
    return worst


@pytest.mark.parametrize(
    "pattern", [one for one in PATTERNS if one.text is not None], ids=lambda one: f"{one.file}:{one.line}"
)
def test_its_steps_grow_no_faster_than_the_text(pattern: Pattern) -> None:
    times, text = growth(pattern)
    assert times < MOST_GROWTH, f"{times:.1f} times the steps for twice of {text[:60]!r}"


def test_what_is_no_text_in_the_source_has_its_reason() -> None:
    assert {one.file for one in PATTERNS if one.text is None} <= MADE.keys()


def test_text_is_cut_before_what_is_quadratic_in_c() -> None:
    """Marks in a row are sorted by ``normalize``, and ``difflib`` compares each sign with each other."""
    for file in (file for name in TREE for file in (ROOT / name).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            name = getattr(
                getattr(call, "func", None), "attr", getattr(getattr(call, "func", None), "id", "")
            )
            if not isinstance(call, ast.Call) or name not in ("normalize", "get_close_matches"):
                continue
            text = call.args[name == "normalize"]
            cut = any(isinstance(getattr(node, "slice", None), ast.Slice) for node in ast.walk(text))
            assert cut, f"{file.relative_to(ROOT)}:{call.lineno}"


def test_all_of_them_are_found() -> None:
    files = {one.file for one in PATTERNS}
    assert len(PATTERNS) > 80
    assert {"schemas/fields.py", "interakt_jobs/ledger/lua/records.lua"} <= files


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (r"https?://[^\s/?#]+[^\s]*", "fullmatch"),
        (r"[^@\s]+@[^@\s]+\.[^@\s]+", "fullmatch"),
        (r"\s+$", "search"),
        (r"(a+)+$", "match"),
        (r"(?:a|aa)*b", "match"),
        (r'"(?:[^"\\]|\\.)*"', "search"),
        (r"\d+(?:\.\d+)*;", "search"),
        (from_lua("^(.-),(.-);$"), "search"),
    ],
)
def test_those_that_are_not_linear_are_found_out(text: str, mode: str) -> None:
    assert growth(Pattern("here", 1, text, 0, mode))[0] > MOST_GROWTH


@pytest.mark.parametrize(
    ("text", "of", "mode"),
    [
        (r"(?i)\b(basic|bearer)\s+[a-z0-9]{6,}", "Basic abcdef1", "match"),
        (r"(?<=\d{6})[.,]0{1,2}\Z", "x", "search"),
        (r"a(?!b)c*+", "acc", "fullmatch"),
        (from_lua("^%+?%d+$"), "+12", "fullmatch"),
    ],
)
def test_what_counts_reads_patterns_as_python_does(text: str, of: str, mode: str) -> None:
    tree, flags = parsed(text, 0)
    matcher = Matcher(tree, flags, of, MOST_STEPS)
    ends: list[int] = []
    assert matcher.run(tree, 0, 0, lambda end: not ends.append(end)) == bool(re.match(text, of))  # type: ignore[func-returns-value]
    if found := re.match(text, of):
        assert ends[-1] == found.end()
    assert matcher.whole(mode) > 0
