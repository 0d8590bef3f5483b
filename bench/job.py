"""The check in the job that every peer does: one list message."""

from __future__ import annotations

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
