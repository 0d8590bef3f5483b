"""The project; its Celery app is loaded with it, as Celery's documents ask for."""

from .celery import app as celery_app

__all__ = ["celery_app"]
