"""Templates: what is approved, and the ready ones that every example of the document uses."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox import clock

PLACEHOLDER = re.compile(r"\{\{\d+\}\}")
STATUSES = ("APPROVED", "WAITING", "REJECTED", "PAUSED", "DISABLED")


def count(text: str | None) -> int:
    """How many variables ``text`` has."""
    return len(set(PLACEHOLDER.findall(text or "")))


@dataclass
class Part:
    """What a template and each card of a carousel have in common: header, body and buttons."""

    body: str = ""
    header_format: str | None = None
    header: str | None = None
    buttons: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.body_count = count(self.body)
        self.header_count = count(self.header) if self.header_format == "TEXT" else 0
        self.media = self.header_format if self.header_format in ("IMAGE", "VIDEO", "DOCUMENT") else None
        self.button_counts = {
            str(index): 1 for index, button in enumerate(self.buttons) if count(str(button.get("url") or ""))
        }


@dataclass
class Template(Part):
    """One template in one language. ``cards`` of length 1 stands for one to ten cards of that form."""

    name: str = ""
    language: str = "en"
    category: str = "MARKETING"
    footer: str | None = None
    cards: list[Part] = field(default_factory=list)
    order_status: bool = False
    status: str = "APPROVED"
    display_name: str = ""
    created: float = field(default_factory=clock.now)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    wa_template_id: str = field(default_factory=lambda: str(uuid.uuid4().int % 10**16))

    def row(self) -> dict[str, Any]:
        """As the templates list and ``raw_template`` show it (interakt-api 4); ``buttons`` is JSON in a string."""
        return {
            "id": self.id,
            "created_at_utc": clock.naive_utc(self.created),
            "name": self.name,
            "display_name": self.display_name or self.name,
            "language": self.language,
            "category": self.category,
            "template_category_label": self.category.title(),
            "header_format": self.header_format,
            "header": self.header,
            "header_handle_file_url": None,
            "header_handle_file_name": None,
            "body": self.body,
            "body_text": json.dumps([f"value {n + 1}" for n in range(self.body_count)]),
            "footer": self.footer,
            "buttons": json.dumps(self.buttons),
            "approval_status": self.status,
            "wa_template_id": self.wa_template_id,
            "variable_present": "Yes" if self.body_count or self.header_count or self.button_counts else "No",
            "autosubmitted_for": None,
        }


def ready() -> list[Template]:
    """A fresh copy of the templates of the document's examples (3.1 to 3.6 and 5.1), approved in ``en``."""
    otp = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
    shop = {"type": "URL", "text": "Open", "url": "https://example.com/{{1}}"}
    call = {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+919999999999"}
    more = {"type": "QUICK_REPLY", "text": "View Details"}
    return [
        Template(name="welcome_message", category="UTILITY", body="Hi {{1}}, welcome!"),
        Template(
            name="invoice_delivery",
            category="UTILITY",
            header_format="DOCUMENT",
            body="Here is the invoice of your order {{1}}.",
        ),
        Template(
            name="auth_one_tap_code",
            category="AUTHENTICATION",
            body="{{1}} is your verification code.",
            buttons=[{"type": "URL", "text": "Copy code", "url": otp}],
        ),
        Template(name="dynamic_cta_template", body="Hi {{1}}, have a look.", buttons=[call, shop]),
        Template(
            name="product_carousel",
            body="Our {{1}} has started.",
            cards=[Part(body="{{1}}", header_format="IMAGE", buttons=[more, shop])],
        ),
        Template(
            name="order_status_update",
            category="UTILITY",
            body="Your order of {{1}} has news.",
            order_status=True,
        ),
        Template(name="diwali_offer", body="Hi {{1}}, happy Diwali! 20 % off until Sunday."),
    ]
