"""One declaration for a setting; a marshmallow schema over the environment is made of a class of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, missing

NEEDED = missing


def setting(kind: fields.Field[Any], default: Any, what: str, *, name: str = "", repr: bool = True) -> Any:
    """A field of a settings class: ``kind`` reads the variable's text, ``what`` is its line in the documentation.

    The variable is ``INTERAKT_`` and the field's name in capitals, unless ``name`` is given.
    """
    return dataclasses.field(
        repr=repr, metadata={"kind": kind, "default": default, "what": what, "name": name}
    )


def schema_of(declared: type) -> Schema:
    """The schema that loads the settings of ``declared`` from a mapping of variables."""
    found: dict[str, fields.Field[Any]] = {}
    for field in dataclasses.fields(declared):
        if kind := field.metadata.get("kind"):
            kind.data_key = field.metadata["name"] or f"INTERAKT_{field.name.upper()}"
            kind.load_default = field.metadata["default"]
            kind.required = kind.load_default is NEEDED
            kind.metadata["what"] = field.metadata["what"]
            found[field.name] = kind
    return Schema.from_dict(found, name=declared.__name__)(unknown=EXCLUDE)
