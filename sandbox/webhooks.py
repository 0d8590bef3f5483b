"""Status webhooks and inbound messages, sent as Interakt sends them."""

from __future__ import annotations

from sandbox.accounts import Account
from sandbox.answers import Message


class Webhooks:
    """Where webhooks go; nothing is sent before a URL is set."""

    def accepted(self, account: Account, message: Message) -> None:
        """A message was accepted: its status webhooks follow."""

    def clear(self) -> None:
        """Forget every URL and everything under way."""
