"""Sections 5 and 6: campaigns and customers."""

from __future__ import annotations

from typing import Any

from .app import app
from .job_task import JobTask


@app.task(bind=True, base=JobTask, name="interakt.create_campaign", operation="create_campaign")
def create_campaign(self: JobTask, payload: Any, **options: Any) -> str | None:
    """5.1 Register a campaign at Interakt."""
    return self.accept(payload, options)


@app.task(bind=True, base=JobTask, name="interakt.find_users", operation="find_users")
def find_users(self: JobTask, payload: Any, **options: Any) -> str | None:
    """6.1 One page of users by filters."""
    return self.accept(payload, options)
