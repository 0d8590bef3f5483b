"""Who a payload is for: a phone, whole or in two parts, and where it is enough, a user's id."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from . import phones
from .base import Shape
from .fields import Text

_NAMES = ("countryCode", "phoneNumber", "fullPhoneNumber", "userId")


class Recipient(Shape):
    """``countryCode`` and ``phoneNumber``, or ``fullPhoneNumber`` (interakt-api 4); an empty one counts as left out."""

    countryCode = Text(empty=True)
    phoneNumber = Text(empty=True)
    fullPhoneNumber = Text(empty=True)
    userId = Text(empty=True)

    user_id_is_enough: ClassVar[bool] = False

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_recipient(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """Refuse impossible numbers, two that differ, and none at all."""
        if any(name in original and name not in data for name in _NAMES):
            return
        full, phone = data.get("fullPhoneNumber"), data.get("phoneNumber")
        try:
            digits = phones.read(data.get("countryCode") or "+91", phone) if phone else ""
            if full and phones.same_person(phones.read_full(full)) != phones.same_person(digits or full):
                raise phones.BadPhone(
                    "fullPhoneNumber", "differs from countryCode and phoneNumber: give one of them"
                )
        except phones.BadPhone as error:
            raise ValidationError({error.field: [error.why]}) from None
        if not digits and not full and not (self.user_id_is_enough and data.get("userId")):
            also = ", or userId" if self.user_id_is_enough else ""
            raise ValidationError({"phoneNumber": [f"is missing: give it, or fullPhoneNumber{also}"]})
