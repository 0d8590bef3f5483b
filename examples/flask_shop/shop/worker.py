"""For ``celery -A shop.worker``."""

from . import create_app

app = create_app().extensions["celery"]
