"""The Celery app. It never becomes the current app of whoever imports it, and reads no setting before it is used."""

from __future__ import annotations

from celery import Celery

app = Celery("interakt", set_as_current=False)
app.config_from_object("config.celery", silent=False)
