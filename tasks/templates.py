"""Sections 3 and 4: template messages, and the templates themselves."""

from __future__ import annotations

from typing import Any

from .app import app
from .job_task import JobTask


@app.task(bind=True, base=JobTask, name="interakt.send_template", operation="send_template")
def send_template(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """3.1, 3.2, 3.4, 3.5, 3.6 Send a template message."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_auth_template", operation="send_auth_template")
def send_auth_template(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """3.3 Send an authentication code: urgent lane, expires after 300 s."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.create_template", operation="create_template")
def create_template(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """4.1, 4.2, 4.3 Create a template."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.upload_template_media", operation="upload_template_media")
def upload_template_media(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """Upload a template's media; gives the file handle of 4.2 and 4.3."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.list_templates", operation="list_templates")
def list_templates(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """4.4 One page of templates."""
    return self.accept(args, kwargs)
