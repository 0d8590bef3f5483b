"""A Flask app with its own Celery, as Flask's documents make one."""

import os

from celery import Celery, Task
from flask import Flask

from .orders import orders


def create_app() -> Flask:
    """The app, with its Celery in ``extensions["celery"]``."""
    app = Flask(__name__)
    app.register_blueprint(orders)

    class InContext(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery = Celery("flask_shop", task_cls=InContext, include=["shop.messages"])
    celery.conf.update(
        broker_url=os.environ.get("SHOP_BROKER_URL", "redis://127.0.0.1:6379/1"), task_ignore_result=True
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return app
