"""What a call to Interakt can come to besides an answer.

    InteraktError
    ├── Refused        never again as it is; ``scope`` says what must change: the job, its template,
    │                  the account's plan, key or wallet, or this deployment's URL and proxies
    ├── Unavailable    nothing was done, try later
    │   └── Throttled  over the limit (429); costs no attempt
    └── Unknown        the request may have been carried out

Decide by these facts, never by the text. The text is Interakt's own words, at most 300 characters, with runs
of digits that may be phone numbers masked; no key and no payload is ever in it.
"""

from __future__ import annotations

from typing import Literal

from worker.telemetry.redaction import mask_numbers

Outcome = Literal["refused", "unavailable", "unknown"]
Scope = Literal["job", "template", "account", "deployment"]
LONGEST = 300


class InteraktError(Exception):
    """A call that was not accepted.

    ``status`` is the HTTP status if there was one; ``retry_after`` is seconds, when Interakt said so.
    """

    outcome: Outcome
    throttled = False

    def __init__(
        self, message: str, status: int | None = None, scope: Scope = "job", retry_after: float | None = None
    ) -> None:
        self.message = mask_numbers(" ".join(message[: 4 * LONGEST].split()))[:LONGEST]
        self.status, self.scope, self.retry_after = status, scope, retry_after
        super().__init__(self.message, status, scope, retry_after)

    def __str__(self) -> str:
        return f"{self.status}: {self.message}" if self.status else self.message


class Refused(InteraktError):
    """Interakt will not do it, however often it is asked."""

    outcome = "refused"


class Unavailable(InteraktError):
    """Nothing was carried out: no connection, a full pool, 503; or any failure of a call safe to repeat."""

    outcome = "unavailable"


class Throttled(Unavailable):
    """The account is over its calls per minute (429)."""

    throttled = True


class Unknown(InteraktError):
    """The request left, and no answer says what became of it."""

    outcome = "unknown"
