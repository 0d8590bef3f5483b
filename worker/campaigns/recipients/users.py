"""Interakt's own users as recipients: pages of ``find_users``, each a job with a permit of its own.

The next page's job is made from the last answer, and a page's answer is dropped from the ledger once it is read. While
the pages are read the list at Interakt goes on changing: who appears twice is rejected as a duplicate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interakt_jobs import JobError, PayloadError, find_users
from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT
from interakt_jobs.pages import next_page
from worker.campaigns.definition.errors import CampaignError

from .columns import is_phone
from .rows import Raw
from .sources import picked

PHONE, CODE = "phone_number", "country_code"
OWN = (PHONE, CODE, "user_id", "id", "created_at_utc")
PAGE = 100
EVERYONE = {"trait": "created_at_utc", "op": "gt", "val": "2000-01-01T00:00:00.000Z"}
OPERATORS = ("eq", "ne", "gt", "lt", "gte", "lte", "contains", "in")
_WORDS = re.compile(r"(?:(or|and)\s+)?(\S+)\s+(\S+)\s+(.+)", re.DOTALL)


def read_filter(text: str) -> dict[str, Any]:
    """``city eq Pune`` or ``or age gt 30`` as Interakt's filter; raises ``ValueError``.

    A value that is JSON (a number, ``true``, ``["a", "b"]``) is taken as such, every other as text.
    """
    match = _WORDS.fullmatch(text.strip())
    if not match or match[3] not in OPERATORS:
        raise ValueError(f"a filter is TRAIT OPERATOR VALUE; operators: {', '.join(OPERATORS)}")
    try:
        value = json.loads(match[4])
    except ValueError:
        value = match[4]
    made = {"trait": match[2], "op": match[3], "val": value}
    return {**made, "supr_op": match[1]} if match[1] else made


class Users:
    """A source of an account's users; ``line`` counts them from 1.

    Columns are ``phone_number``, ``country_code``, ``user_id``, ``id``, ``created_at_utc`` and the traits. ``wanted`` are
    traits that count as columns though nobody on the first page has them. ``timeout`` is seconds for one page. Its
    methods raise ``CampaignError`` when the first page has nobody, or when a page's job ends without an answer,
    ``celery.exceptions.TimeoutError`` while no worker makes the calls, and ``LedgerUnreachable``.
    """

    keeps = False

    def __init__(
        self,
        filters: Sequence[Mapping[str, Any]] = (),
        wanted: Sequence[str] = (),
        *,
        account: str = DEFAULT_ACCOUNT,
        timeout: float = 300.0,
    ) -> None:
        self.account, self.wanted, self.timeout = account, tuple(wanted), timeout
        self.filters = [dict(one) for one in filters] or [EVERYONE]
        self._first: tuple[list[dict[str, Any]], dict[str, Any] | None] | None = None

    def columns(self) -> list[str]:
        self._first = self._first or self._page({"filters": self.filters, "offset": 0, "limit": PAGE})
        users, _ = self._first
        if not users:
            raise CampaignError({"recipients": "Interakt has no users who pass these filters"})
        traits = dict.fromkeys(name for user in users for name in _row(user) if name not in OWN)
        return [
            *OWN,
            *(
                name
                for name in dict.fromkeys((*traits, *self.wanted))
                if name not in OWN and not is_phone(name)
            ),
        ]

    def rows(self, wanted: Sequence[str], own: Sequence[str] = ()) -> Iterator[Raw]:
        self.columns()
        page, number = self._first, 0
        while page is not None:
            users, following = page
            for user in users:
                number += 1
                yield picked(number, _row(user), wanted, own)
            page = self._page(following) if following else None

    def _page(self, payload: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        try:
            job = find_users.delay(payload, account=self.account, lane="bulk")  # type: ignore[arg-type]
            answer = job.get(timeout=self.timeout)
        except (PayloadError, JobError) as error:
            if isinstance(error, ConnectionError):
                raise
            raise CampaignError({"recipients": f"users could not be read: {error}"}) from None
        job.forget()
        found = (answer.get("data") or {}).get("customers")
        users = [user for user in found if isinstance(user, dict)] if isinstance(found, list) else []
        return users, next_page(payload, answer)


def _row(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user's traits and own fields as one row; a trait never takes the place of a field."""
    traits = user.get("traits")
    row = {str(name): value for name, value in traits.items()} if isinstance(traits, dict) else {}
    own = {name: user.get(name) for name in OWN}
    code = own[CODE]
    if isinstance(code, str) and code and not code.startswith("+"):
        own[CODE] = f"+{code}"
    return {**row, **own}
