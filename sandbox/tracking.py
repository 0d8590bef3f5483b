"""``track/users/`` and ``track/events/`` (document 1)."""

from __future__ import annotations

from typing import Any

from sandbox import phones
from sandbox.accounts import Customer, person_id
from sandbox.answers import Answer, Refused
from sandbox.context import Context, need_text


def track_user(call: Context) -> Answer:
    """Make or update a customer: same trait replaces, tags are only added, ``userId`` never changes hands."""
    body = call.body
    phone, user_id = _who(body)
    account = call.account
    holder = account.by_user.get(user_id) if user_id else None
    if holder is not None and phone and holder.phone not in ("", phone):
        raise Refused("['userId already exists for another customer']")
    traits, tags = body.get("traits") or {}, body.get("tags") or []
    if not isinstance(traits, dict) or not isinstance(tags, list):
        raise Refused("['traits must be an object and tags a list']")
    customer = account.customer(phone) if phone else holder or Customer(person_id("user:" + user_id))
    if user_id and not customer.user_id:
        customer.user_id = user_id
        account.by_user[user_id] = customer
    customer.traits.update(traits)
    customer.tags += [tag for tag in tags if tag not in customer.tags]
    customer.modified = call.arrived
    if call.settings.answers == "seed":
        return Answer(200, {"result": True, "message": "User tracked successfully", "id": customer.id})
    return Answer(202, {"result": True, "message": f"Customer with {customer.id} updated successfully"})


def track_event(call: Context) -> Answer:
    """Append an event; the same event twice is two events."""
    body = call.body
    _who(body)
    need_text(body, "event")
    if not isinstance(body.get("traits", {}), dict):
        raise Refused("['traits must be an object']")
    if call.settings.answers == "seed":
        return Answer(200, {"result": True, "message": "Event tracked successfully"})
    return Answer(201, {"result": True, "message": "Event created successfully", "id": call.id})


def _who(body: dict[str, Any]) -> tuple[str, str]:
    user_id = body.get("userId") or ""
    named = bool(body.get("phoneNumber") or body.get("fullPhoneNumber"))
    if not isinstance(user_id, str) or not (user_id or named):
        raise Refused("['Either userId or phoneNumber is required']")
    return phones.read(body) if named else "", user_id
