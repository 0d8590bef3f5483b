"""An account: one API key with its templates, customers, campaigns and rate limit."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox import clock
from sandbox.answers import NO_CUSTOMER, NO_WINDOW, Refused
from sandbox.limit import Limiter, Meter
from sandbox.settings import Settings
from sandbox.templates import Template, ready

DAY = 86_400.0
EXAMPLE_PHONE = "919999999999"
EXAMPLE_USER = "user-unique-id"


@dataclass(slots=True)
class Customer:
    """A person the account knows; ``window_until`` is when the 24-hour window closes (epoch seconds)."""

    id: str
    phone: str = ""
    user_id: str = ""
    traits: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    created: float = field(default_factory=clock.now)
    modified: float = field(default_factory=clock.now)
    window_until: float = 0.0
    agent: str = ""


class Account:
    """All state of one key; ``label`` is a short hash that may be shown, the key itself is not kept."""

    def __init__(self, label: str, settings: Settings) -> None:
        self.label, self.settings = label, settings
        self.templates: dict[tuple[str, str], Template] = {(t.name, t.language): t for t in ready()}
        self.customers: dict[str, Customer] = {}
        self.by_user: dict[str, Customer] = {}
        self.campaigns: dict[str, str] = {}
        self.calls_per_minute: float | None = None
        self.limit_changed()
        if settings.checks != "strict":
            traits = {"email": "abc@gmail.com", "name": "John Doe", "dob": "1990-01-01"}
            customer = Customer(
                person_id(EXAMPLE_PHONE), EXAMPLE_PHONE, EXAMPLE_USER, traits, ["new_user", "lead"]
            )
            self.customers[EXAMPLE_PHONE] = self.by_user[EXAMPLE_USER] = customer

    def limit_changed(self) -> None:
        """Start the limit and its meter anew from the settings, or its own ``calls_per_minute``."""
        settings = self.settings
        limit = settings.calls_per_window
        if self.calls_per_minute is not None:
            own = self.calls_per_minute * settings.window_seconds / 60
            limit = max(1, round(own)) if self.calls_per_minute > 0 else 0
        self.limiter = Limiter(limit, settings.window_seconds, settings.window)
        self.meter = Meter(limit, settings.window_seconds)

    def customer(self, phone: str) -> Customer:
        """The customer with this number, made when there is none."""
        found = self.customers.get(phone)
        if found is None:
            found = self.customers[phone] = Customer(person_id(phone), phone)
        return found

    def check_window(self, phone: str) -> None:
        """Raises ``Refused`` unless a session message may go to ``phone`` now."""
        checks = self.settings.checks
        if checks == "relaxed" or (checks == "default" and phone == EXAMPLE_PHONE):
            return
        found = self.customers.get(phone)
        if found is None:
            raise Refused(NO_CUSTOMER)
        if found.window_until <= clock.now():
            raise Refused(NO_WINDOW)

    def wrote(self, phone: str) -> Customer:
        """The person wrote to the business: the window is open for 24 hours."""
        customer = self.customer(phone)
        customer.window_until = clock.now() + DAY
        return customer


def person_id(text: str) -> str:
    """The same id for the same person."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def label_of(key: str) -> str:
    """The name under which a key is shown."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def key_from(header: str) -> str | None:
    """The key of an ``Authorization`` header: base64 of ``token:`` (interakt-api 1); None for another."""
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != "basic" or not key:
        return None
    try:
        user, colon, password = base64.b64decode(key, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return key if user and colon and not password else None
