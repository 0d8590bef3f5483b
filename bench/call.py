"""The call in the job that every peer does: what is sent where, and what is kept of the answer."""

from __future__ import annotations

import os
from typing import Any


def payload() -> dict[str, Any]:
    """The document's example, 348 bytes of JSON."""
    return {
        "countryCode": "+91",
        "phoneNumber": "9999999999",
        "type": "InteractiveList",
        "data": {
            "body": {"text": "Select a department"},
            "action": {
                "button": "View Options",
                "sections": [
                    {
                        "title": "Support",
                        "rows": [
                            {"id": "opt_billing", "title": "Billing", "description": "Issues with payments"},
                            {"id": "opt_tech", "title": "Technical", "description": "App or website issues"},
                        ],
                    }
                ],
            },
        },
    }


def marked(job: str) -> dict[str, Any]:
    """The payload with an id that the API records."""
    return payload() | {"callbackData": job}


def url() -> str:
    return os.environ["INTERAKT_BASE_URL"] + "message/"


def headers() -> dict[str, str]:
    return {"Authorization": f"Basic {os.environ['INTERAKT_API_KEY']}"}


def kept(status: int, answer: dict[str, Any]) -> str:
    """The id to keep as the job's result; raises ``RuntimeError`` when the message was not taken."""
    if status >= 300 or not answer.get("result"):
        raise RuntimeError(f"status {status}")
    return str(answer["id"])
