"""What is printed in the documents and cannot be run here as it stands, each with its reason.

A test counts them: a new one is written down here, with what it needs, or it is made to run.
"""

from __future__ import annotations

# begins of a command -> why it is not run
CANNOT_RUN = {
    "python3 -m venv": "would replace the environment that runs the test; `make` does the same",
    "pip install": "needs a package index; `make` and tests/hosts install the same files",
    ".venv/bin/pip install": "needs a package index",
    "make requirements": "asks a package index for the newest versions",
    "python manage.py": "needs Django; tests/hosts runs this shop",
    "python -m celery -A config": "needs Django; tests/hosts runs this shop",
    "python -m uvicorn": "needs FastAPI; tests/hosts runs this shop",
    "python -m celery -A shop_celery": "needs FastAPI; tests/hosts runs this shop",
    "gunicorn": "needs Flask; tests/hosts runs this shop",
    "python -m celery -A shop.worker": "needs Flask; tests/hosts runs this shop",
    "curl -d phone": "asks a shop; tests/hosts does",
    "curl http://127.0.0.1:8000/orders": "asks a shop; tests/hosts does",
    "curl http://127.0.0.1:8000/codes": "asks a shop; tests/hosts does",
}
# begins of a command that takes minutes -> it is asked for its options instead, or `make` what it would do
TAKES_MINUTES = (
    "make ",
    "python -m bench",
    "python -m tests.chaos",
    ".venv/bin/python -m tests.chaos",
    ".venv/bin/python -m pytest",
)
# a piece of a Python block -> why it is only compiled
CANNOT_IMPORT = {
    "transaction.on_commit": "needs Django; tests/hosts runs the shop it is from",
    "with Session.begin()": "needs SQLAlchemy; tests/hosts runs the shop it is from",
    "@shared_task(name=": "needs Django; tests/hosts runs the shop it is from",
}
COUNT = 16
