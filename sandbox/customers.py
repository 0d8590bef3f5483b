"""``apis/users/``: customers by filters, by phone and by id (document 6.1, interakt-api 3 and 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox import clock, phones
from sandbox.accounts import Customer
from sandbox.answers import Answer, Refused
from sandbox.context import Context

TIMES = ("created_at_utc", "modified_at_utc")
OPERATORS = ("eq", "ne", "gt", "lt", "gte", "lte", "contains", "in")


def find_users(call: Context) -> Answer:
    """One page of the customers that pass the filters."""
    offset, limit = call.number("offset", 0), call.number("limit", 100, 100)
    filters = call.body.get("filters", [])
    if not isinstance(filters, list):
        raise Refused("filters must be a list")
    checked = [_checked(given, first=index == 0) for index, given in enumerate(filters)]
    found = [customer for customer in _everyone(call) if _passes(customer, checked)]
    return _page(found, offset, limit)


def user_by_phone(call: Context) -> Answer:
    """Customers with this national number."""
    found = [customer for customer in _everyone(call) if phones.split(customer.phone)[1] == call.rest]
    return _page(found, 0, 100)


def user_by_id(call: Context) -> Answer:
    """The customer with this ``userId``."""
    found = call.account.by_user.get(call.rest)
    return _page([found] if found else [], 0, 100)


def _everyone(call: Context) -> list[Customer]:
    nameless = [customer for customer in call.account.by_user.values() if not customer.phone]
    return [*call.account.customers.values(), *nameless]


def _page(found: list[Customer], offset: int, limit: int) -> Answer:
    data = {
        "total_customers": len(found),
        "offset": offset,
        "limit": limit,
        "has_next_page": offset + limit < len(found),
        "customers": [_shown(customer) for customer in found[offset : offset + limit]],
    }
    return Answer(200, {"result": True, "message": "Customers", "data": data})


def _shown(customer: Customer) -> dict[str, Any]:
    code, national = phones.split(customer.phone)
    return {
        "id": customer.id,
        "created_at_utc": clock.zulu(customer.created),
        "modified_at_utc": clock.zulu(customer.modified),
        "user_id": customer.user_id or None,
        "phone_number": national,
        "country_code": code if national else "",
        "traits": customer.traits,
        "tags": customer.tags,
    }


def _checked(given: Any, first: bool) -> tuple[str, str, Any, bool]:
    if not isinstance(given, dict) or not isinstance(given.get("trait"), str) or "val" not in given:
        raise Refused("Each filter needs trait, op and val")
    trait, operator, value = given["trait"], given.get("op"), given["val"]
    if operator not in OPERATORS:
        raise Refused(f"Invalid op, must be one of {', '.join(OPERATORS)}")
    joined = given.get("supr_op", "and")
    if joined not in ("and", "or"):
        raise Refused("Invalid supr_op, must be and or or")
    return trait, operator, _moment(trait, value) if trait in TIMES else value, joined == "or" and not first


def _moment(trait: str, value: Any) -> float:
    try:
        if not isinstance(value, str) or not value.endswith("Z"):
            raise ValueError
        return datetime.fromisoformat(value).astimezone(UTC).timestamp()
    except ValueError:
        raise Refused(f"Invalid val of {trait}, must be in UTC") from None


def _passes(customer: Customer, filters: list[tuple[str, str, Any, bool]]) -> bool:
    passes = True
    for trait, operator, value, is_or in filters:
        if trait in TIMES:
            held: Any = customer.created if trait == "created_at_utc" else customer.modified
        else:
            held = _shown(customer).get(trait) if trait not in customer.traits else customer.traits[trait]
        one = _compare(held, operator, value)
        passes = passes or one if is_or else passes and one
    return passes


def _compare(held: Any, operator: str, value: Any) -> bool:
    try:
        match operator:
            case "eq":
                return bool(held == value)
            case "ne":
                return bool(held != value)
            case "gt":
                return bool(held > value)
            case "lt":
                return bool(held < value)
            case "gte":
                return bool(held >= value)
            case "lte":
                return bool(held <= value)
            case "contains":
                return value in held
            case _:
                return held in value
    except TypeError:
        return False
