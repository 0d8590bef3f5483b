"""Sections 1 and 8: users, events, chats."""

from __future__ import annotations

from typing import Any

from .app import app
from .job_task import JobTask


@app.task(bind=True, base=JobTask, name="interakt.track_user", operation="track_user")
def track_user(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """1.1 Create or update a user."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.track_event", operation="track_event")
def track_event(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """1.2 Record an event of a user."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.assign_chat", operation="assign_chat")
def assign_chat(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """8.1 Assign a user's chat to an agent by ids."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.assign_chat_to_agent", operation="assign_chat_to_agent")
def assign_chat_to_agent(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """The current `assignment/` endpoint: a chat to an agent by e-mail."""
    return self.accept(args, kwargs)
