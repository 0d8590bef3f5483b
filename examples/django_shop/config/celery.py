"""The shop's own Celery app, on a broker of its own."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("django_shop", include=["tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")
