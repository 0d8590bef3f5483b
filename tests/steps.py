"""How many steps a backtracking matcher takes: a regular expression's cost without a clock.

It walks the tree that ``re`` itself parses, so no pattern is read in a way of our own. The real engine takes shortcuts
that this one does not: it is never slower than what is counted here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from re import _constants as c  # type: ignore[attr-defined]  # isort: skip
from re import _parser  # type: ignore[attr-defined]

Then = Callable[[int], bool]
ONE = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)
REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)
CATEGORIES: dict[Any, Callable[[str], bool]] = {
    c.CATEGORY_DIGIT: lambda one: "0" <= one <= "9",
    c.CATEGORY_NOT_DIGIT: lambda one: not "0" <= one <= "9",
    c.CATEGORY_SPACE: str.isspace,
    c.CATEGORY_NOT_SPACE: lambda one: not one.isspace(),
    c.CATEGORY_WORD: lambda one: one.isalnum() or one == "_",
    c.CATEGORY_NOT_WORD: lambda one: not (one.isalnum() or one == "_"),
}


class TooMany(Exception):
    """Raised when the steps are more than was allowed."""


def parsed(pattern: str | bytes, flags: int) -> tuple[Any, int]:
    """The tree of a pattern, and its flags with those written in it."""
    tree = _parser.parse(pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern, flags)
    return tree, tree.state.flags


def fits(op: Any, arg: Any, one: str, flags: int) -> bool:
    """Whether one character is taken by one of ``ONE``."""
    if flags & re.IGNORECASE and one.lower() != one.upper():
        bare = flags & ~re.IGNORECASE
        return fits(op, arg, one.lower(), bare) or fits(op, arg, one.upper(), bare)
    if op is c.LITERAL:
        return ord(one) == arg
    if op is c.NOT_LITERAL:
        return ord(one) != arg
    if op is c.ANY:
        return bool(flags & re.DOTALL) or one != "\n"
    negated = arg[0][0] is c.NEGATE
    return negated != any(_in(kind, what, one) for kind, what in arg)


def _in(kind: Any, what: Any, one: str) -> bool:
    if kind is c.LITERAL:
        return ord(one) == what
    if kind is c.RANGE:
        return bool(what[0] <= ord(one) <= what[1])
    return kind is c.CATEGORY and CATEGORIES[what](one)


class Matcher:
    """Matches and counts; ``most`` steps, then ``TooMany``."""

    def __init__(self, tree: Any, flags: int, text: str, most: int) -> None:
        self.tree, self.flags, self.text, self.most = tree, flags, text, most
        self.steps = 0

    def whole(self, mode: str) -> int:
        """The steps of ``fullmatch``, ``match``, or of ``search`` for every match in the text."""
        if mode == "fullmatch":
            self.run(self.tree, 0, 0, lambda end: end == len(self.text))
        elif mode == "match":
            self.run(self.tree, 0, 0, lambda _: True)
        else:
            at = 0
            while at <= len(self.text):
                ends: list[int] = []
                self.run(self.tree, 0, at, lambda end, ends=ends: not ends.append(end))  # type: ignore[func-returns-value, misc]
                at = max(at + 1, *ends) if ends else at + 1
        return self.steps

    def run(self, sequence: Any, place: int, at: int, then: Then) -> bool:
        self.steps += 1
        if self.steps > self.most:
            raise TooMany
        if place == len(sequence):
            return then(at)
        op, arg = sequence[place]

        def on(end: int) -> bool:
            return self.run(sequence, place + 1, end, then)

        if op in ONE:
            return at < len(self.text) and fits(op, arg, self.text[at], self.flags) and on(at + 1)
        if op in REPEATS:
            return self.repeat(op, *arg, at, on)
        if op is c.SUBPATTERN:
            return self.run(arg[3], 0, at, on)
        if op is c.BRANCH:
            return any(self.run(one, 0, at, on) for one in arg[1])
        if op is c.ATOMIC_GROUP:
            end = self.first(arg, at)
            return end is not None and on(end)
        if op in (c.ASSERT, c.ASSERT_NOT):
            direction, inner = arg
            start = at if direction > 0 else at - inner.getwidth()[0]
            found = start >= 0 and self.first(inner, start) is not None
            return found == (op is c.ASSERT) and on(at)
        assert op is c.AT, f"{op} is not counted: teach this file, or write the pattern without"
        return self.stands(arg, at) and on(at)

    def first(self, sequence: Any, at: int) -> int | None:
        ends: list[int] = []
        found = self.run(sequence, 0, at, lambda end: not ends.append(end))  # type: ignore[func-returns-value]
        return ends[0] if found else None

    def repeat(self, op: Any, least: int, most: int, body: Any, at: int, on: Then) -> bool:
        if len(body) == 1 and body[0][0] in ONE:
            taken = 0
            while (
                taken < most
                and at + taken < len(self.text)
                and fits(*body[0], self.text[at + taken], self.flags)
            ):
                taken += 1
            self.steps += taken
            counts = range(taken, least - 1, -1) if op is c.MAX_REPEAT else range(least, taken + 1)
            if op is c.POSSESSIVE_REPEAT:
                counts = range(taken, taken + (taken >= least))
            return any(on(at + count) for count in counts)

        def again(count: int, start: int) -> bool:
            def more() -> bool:
                return count < most and self.run(
                    body, 0, start, lambda end: (end > start or count < least) and again(count + 1, end)
                )

            if op is c.MIN_REPEAT:
                return (count >= least and on(start)) or more()
            return more() or (count >= least and on(start))

        if op is c.POSSESSIVE_REPEAT:
            ends: list[int] = []
            kept, on = on, lambda end: not ends.append(end)  # type: ignore[func-returns-value]
            return again(0, at) and kept(ends[0])
        return again(0, at)

    def stands(self, where: Any, at: int) -> bool:
        text, end = self.text, len(self.text)
        if where in (c.AT_BOUNDARY, c.AT_NON_BOUNDARY):
            word = CATEGORIES[c.CATEGORY_WORD]
            edge = (at > 0 and word(text[at - 1])) != (at < end and word(text[at]))
            return edge == (where is c.AT_BOUNDARY)
        if where in (c.AT_BEGINNING, c.AT_BEGINNING_STRING):
            return at == 0 or (
                bool(self.flags & re.MULTILINE) and where is c.AT_BEGINNING and text[at - 1] == "\n"
            )
        return at == end or (where is c.AT_END and text[at:] == "\n")


def examples(op: Any, arg: Any, flags: int) -> list[str]:
    """A few characters that one of ``ONE`` takes: of what it names, and of what is common."""
    named: list[str] = []
    if op is c.LITERAL or op is c.NOT_LITERAL:
        named = [chr(arg)]
    elif op is c.IN:
        for kind, what in arg:
            named += [chr(what)] if kind is c.LITERAL else [chr(what[0])] if kind is c.RANGE else []
    return [one for one in dict.fromkeys([*named, *"a0 .'\"@/-:\n\\_Aé"]) if fits(op, arg, one, flags)]


def sample(sequence: Any, flags: int) -> str:
    """A short text that the sequence takes."""
    found = ""
    for op, arg in sequence:
        if op in ONE:
            found += examples(op, arg, flags)[0]
        elif op in REPEATS:
            found += sample(arg[2], flags) * arg[0]
        elif op is c.SUBPATTERN:
            found += sample(arg[3], flags)
        elif op is c.BRANCH:
            found += sample(arg[1][0], flags)
        elif op is c.ATOMIC_GROUP:
            found += sample(arg, flags)
    return found


def spots(sequence: Any, flags: int, before: str = "") -> Iterator[tuple[str, str]]:
    """For each long repeat, a text that leads to it and one that it takes once."""
    for place, (op, arg) in enumerate(sequence):
        lead = before + sample(sequence[:place], flags)
        if op in REPEATS:
            if arg[1] is c.MAXREPEAT or arg[1] > 8:
                yield lead, sample(arg[2], flags)
            yield from spots(arg[2], flags, lead)
        elif op is c.SUBPATTERN:
            yield from spots(arg[3], flags, lead)
        elif op is c.BRANCH:
            for one in arg[1]:
                yield from spots(one, flags, lead)


def alphabet(sequence: Any, flags: int) -> Iterator[str]:
    """Characters that the pattern tells apart."""
    for op, arg in sequence:
        if op in ONE:
            yield from examples(op, arg, flags)[:3]
        elif op in REPEATS:
            yield from alphabet(arg[2], flags)
        elif op is c.SUBPATTERN:
            yield from alphabet(arg[3], flags)
        elif op is c.BRANCH:
            for one in arg[1]:
                yield from alphabet(one, flags)
        elif op in (c.ASSERT, c.ASSERT_NOT):
            yield from alphabet(arg[1], flags)


def hostile(tree: Any, flags: int) -> Iterator[Callable[[int], str]]:
    """Texts made for this pattern, as functions of their length."""
    letters = [*dict.fromkeys(alphabet(tree, flags))]
    # of the letters and digits two stand for all
    signs = [one for one in letters if not one.isalnum()][:5]
    few = [*signs, *[one for one in letters if one.isalnum()][:2]]
    for lead, inner in dict.fromkeys([("", sample(tree, flags)), *spots(tree, flags)]):
        pumps = dict.fromkeys([inner, lead, lead + inner, *few, *(a + b for a in few for b in few)])
        for pump in filter(None, pumps):
            for job_key in dict.fromkeys(["", "\0", *([" ", "\n", *signs[:2]] if len(pump) != 2 else [])]):
                yield (
                    lambda size, lead=lead, pump=pump, job_key=job_key: (
                        lead + pump * (size // len(pump)) + job_key
                    )
                )  # type: ignore[misc]
