"""Section 2: messages inside the 24-hour window."""

from __future__ import annotations

from typing import Any

from .app import app
from .job_task import JobTask


@app.task(bind=True, base=JobTask, name="interakt.send_text", operation="send_text")
def send_text(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """Send a text message."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_image", operation="send_image")
def send_image(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.1 Send an image."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_document", operation="send_document")
def send_document(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.2 Send a document."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_video", operation="send_video")
def send_video(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.3 Send a video."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_audio", operation="send_audio")
def send_audio(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.4 Send an audio file."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_sticker", operation="send_sticker")
def send_sticker(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.5 Send a sticker."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_buttons", operation="send_buttons")
def send_buttons(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.6 Send up to three reply buttons."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.send_list", operation="send_list")
def send_list(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """2.7 Send a list of up to ten rows."""
    return self.accept(args, kwargs)
