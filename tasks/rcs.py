"""Section 7: RCS messages."""

from __future__ import annotations

from typing import Any

from .app import app
from .job_task import JobTask


@app.task(bind=True, base=JobTask, name="interakt.send_rcs_text", operation="send_rcs_text")
def send_rcs_text(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """7.1 Send an RCS text."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_rcs_carousel", operation="send_rcs_carousel")
def send_rcs_carousel(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """7.2 Send an RCS carousel."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_rcs_card", operation="send_rcs_card")
def send_rcs_card(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """7.3 Send an RCS card."""
    return self.accept(args, kwargs)
