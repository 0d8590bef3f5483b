"""The worker's app with one thing broken on purpose, named by ``CHAOS_MUTATION``.

``no_reaper``      nothing is repaired
``no_sent_at``     the reaper believes that no request has left
``all_ambiguous``  every finished job is marked as perhaps sent twice
``no_budget``      every permit is given
``ended_twice``    no end is held, and a correction is told as another end
``crash``          a message that says "crash" ends the process during its call
``freeze``         a message that says "freeze" holds the process for ever while it is checked
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from typing import Any

import schemas
from interakt_jobs.ledger.scripts import Script
from worker.app import app
from worker.interakt.client import Client
from worker.ledger import work_ledger
from worker.webhooks import receipts

__all__ = ["app"]
MUTATION = os.environ.get("CHAOS_MUTATION", "")


def changed(script: Script, old: str, new: str) -> Script:
    """The script with one text replaced; raises ``ValueError`` when it is not in there."""
    if old not in script.text:
        raise ValueError(f"mutation {MUTATION}: {script.name} no longer has {old!r}")
    text = script.text.replace(old, new)
    return replace(script, text=text, sha=hashlib.sha1(text.encode()).hexdigest())


def mutate(mutation: str) -> None:
    """Break one thing; raises ``ValueError`` for a name that is none."""
    match mutation:
        case "no_reaper":
            work_ledger.REAP = changed(
                work_ledger.REAP,
                "local again, unknown,",
                "do return {0, 0, 0, 0, 0} end\nlocal again, unknown,",
            )
        case "no_sent_at":
            work_ledger.REAP = changed(
                work_ledger.REAP,
                "if crashes + 1 >= tonumber(ARGV[3]) then",
                "if true then\n flights.to_ready(job_key, head, head.due)\nelseif crashes + 1 >= tonumber(ARGV[3]) then",
            )
        case "all_ambiguous":
            before = "local ambiguous = possibly_sent == '2'"
            work_ledger.STEP = changed(work_ledger.STEP, before, "local ambiguous = true")
        case "no_budget":
            for name in ("START", "STEP"):
                before = "local wait = budget.permit(head.lane, state)"
                setattr(work_ledger, name, changed(getattr(work_ledger, name), before, "local wait = 0"))
        case "ended_twice":
            for name in ("STEP", "REAP"):
                before = "local function instead_of_end(job_key, head, ending)"
                held = changed(
                    getattr(work_ledger, name), before, f"{before}\n  if true then return false end"
                )
                setattr(work_ledger, name, held)
            receipts.RECEIPT = changed(receipts.RECEIPT, "event.was and 'corrected' or 'ended'", "'ended'")
        case "crash":
            _crash_on_call()
        case "freeze":
            _freeze_on_check()
        case _:
            raise ValueError(f"no mutation is called {mutation!r}")


def _crash_on_call() -> None:
    original = Client.call

    def call(self: Client, operation: str, payload: Any, **options: Any) -> Any:
        if b'"crash"' in payload:
            os._exit(1)
        return original(self, operation, payload, **options)

    setattr(Client, "call", call)  # noqa: B010  mypy forbids the plain assignment


def _freeze_on_check() -> None:
    original = schemas.complete

    def complete(operation: str, payload: Any) -> Any:
        if (payload.get("data") or {}).get("message") == "freeze":
            re.fullmatch("(a+)+", "a" * 99 + "!")  # in C, with the interpreter's lock held
        return original(operation, payload)

    setattr(schemas, "complete", complete)  # noqa: B010  as above


if MUTATION:
    mutate(MUTATION)
