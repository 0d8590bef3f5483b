"""Chats given to agents: the document's ``chat/assign/`` and the current ``assignment/``."""

from __future__ import annotations

from sandbox import phones
from sandbox.accounts import Customer
from sandbox.answers import NO_CUSTOMER, Answer, Refused
from sandbox.context import Context, need_text


def assign_chat(call: Context) -> Answer:
    """Document 8.1: ``userId`` and ``agentId``."""
    user, agent = need_text(call.body, "userId"), need_text(call.body, "agentId")
    return _assign(call, call.account.by_user.get(user), agent)


def assign_chat_to_agent(call: Context) -> Answer:
    """Facts 4: ``user_phone_number`` (digits with country code) and ``agent_email``."""
    phone = phones.checked(call.body.get("user_phone_number"))
    agent = need_text(call.body, "agent_email")
    if "@" not in agent:
        raise Refused("['Enter a valid email address.']")
    if call.settings.checks == "relaxed":
        call.account.customer(phone)
    return _assign(call, call.account.customers.get(phone), agent)


def _assign(call: Context, customer: Customer | None, agent: str) -> Answer:
    if customer is None and call.settings.checks != "relaxed":
        raise Refused(NO_CUSTOMER)
    if customer is not None:
        if customer.agent == agent:
            raise Refused("['Chat is already assigned to same agent']")
        customer.agent = agent
    return Answer(200, {"result": True, "message": "Chat Assigned Successfully"})
