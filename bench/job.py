"""The job that every peer does: check one list message, send it, keep the id of the answer."""

from __future__ import annotations

import os
from typing import Any

from marshmallow import Schema, fields, validate


class Row(Schema):
    id = fields.String(required=True, validate=validate.Length(1, 200))
    title = fields.String(required=True, validate=validate.Length(1, 24))
    description = fields.String(validate=validate.Length(max=72))


class Section(Schema):
    title = fields.String(validate=validate.Length(max=24))
    rows = fields.List(fields.Nested(Row), required=True, validate=validate.Length(1, 10))


class Action(Schema):
    button = fields.String(required=True, validate=validate.Length(1, 20))
    sections = fields.List(fields.Nested(Section), required=True, validate=validate.Length(1, 10))


class Body(Schema):
    text = fields.String(required=True, validate=validate.Length(1, 1024))


class Data(Schema):
    body = fields.Nested(Body, required=True)
    action = fields.Nested(Action, required=True)


class ListMessage(Schema):
    """Section 2.7 of the API document, strict as ours is: unknown fields are refused."""

    countryCode = fields.String(required=True, validate=validate.Regexp(r"^\+\d{1,4}$"))
    phoneNumber = fields.String(required=True, validate=validate.Regexp(r"^\d{4,15}$"))
    type = fields.String(required=True, validate=validate.Equal("InteractiveList"))
    callbackData = fields.String(validate=validate.Length(max=512))
    data = fields.Nested(Data, required=True)


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


def url() -> str:
    return os.environ["INTERAKT_BASE_URL"] + "message/"


def headers() -> dict[str, str]:
    return {"Authorization": f"Basic {os.environ['INTERAKT_API_KEY']}"}


def kept(status: int, answer: dict[str, Any]) -> str:
    """The id to keep as the job's result; raises ``RuntimeError`` when the message was not taken."""
    if status >= 300 or not answer.get("result"):
        raise RuntimeError(f"status {status}")
    return str(answer["id"])
