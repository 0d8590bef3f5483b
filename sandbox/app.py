"""One call from end to end: auth, limit, fault, view, record."""

from __future__ import annotations

import json
import math
from typing import Any

from sandbox import answers, routes
from sandbox.accounts import Account, key_from, label_of
from sandbox.answers import Answer, Refused, Reply
from sandbox.calls import Call, CallLog
from sandbox.context import Context
from sandbox.faults import INSTEAD, Faults, Rule
from sandbox.incoming import Request
from sandbox.settings import Settings
from sandbox.webhooks import Webhooks


class App:
    """All state of the sandbox, and what it answers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls = CallLog(settings.keep, settings.keep_bodies)
        self.faults = Faults()
        self.webhooks = Webhooks()
        self.accounts: dict[str, Account] = {}
        self._by_header: dict[str, Account | None] = {}
        self.in_flight = self.peak_in_flight = 0

    def reset(self) -> None:
        """Forget calls, accounts, faults and webhooks; the settings stay."""
        self.calls.clear()
        self.faults.set([])
        self.webhooks.clear()
        self.accounts.clear()
        self._by_header.clear()
        self.peak_in_flight = self.in_flight

    def account(self, label: str) -> Account:
        """The account of this label, made at its first use."""
        if label not in self.accounts:
            self.accounts[label] = Account(label, self.settings)
        return self.accounts[label]

    def began(self) -> None:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def ended(self) -> None:
        self.in_flight -= 1

    def handle(self, request: Request) -> Reply:
        """Answer one call of the API and record it."""
        route, rest = routes.find(request.path)
        if route is None:
            self._record(request, "unknown", None, None, 404, None)
            return Reply(404, answers.NOT_FOUND_PAGE, answers.HTML)
        body = _json(request)
        account = self._authenticated(request.headers.get("authorization", ""))
        operation = routes.operation_of(route, body, account)
        job = _job(body)
        label = account.label if account else None
        delay, fault, rule = self.faults.draw(operation, job, label)
        answer: Answer | None = None
        early = self._early(request, route.method, account, fault)
        if early is not None:
            reply = early
            if rule is not None and fault != "reset_before_reading":
                rule.give_back()
                fault = ""
        else:
            assert account is not None
            context = Context(
                self.settings,
                account,
                self.calls.id_of(self.calls.next),
                request.arrived,
                body,
                request.body,
                request.headers.get("content-type", ""),
                request.query,
                rest,
            )
            answer, reply = self._carry_out(route, context, fault, rule)
        reply.delay += delay
        at_once = reply.status if reply.delay == 0 and reply.manner == "plain" else None
        accepted = answer is not None
        reply.seq = self._record(request, operation, label, job, at_once, body, accepted, fault or None)
        if answer is not None and answer.message is not None and account is not None:
            self.webhooks.accepted(account, answer.message)
        return reply

    def _carry_out(
        self, route: routes.Route, context: Context, fault: str, rule: Rule | None
    ) -> tuple[Answer | None, Reply]:
        """The view's answer, when the call took effect, and what is sent for it."""
        if rule is None:
            return _view(route, context)
        if fault not in INSTEAD:
            answer, reply = _view(route, context)
            rule.spoil(fault, reply)
            return answer, reply
        answer = _view(route, context)[0] if rule.was_accepted() else None
        return answer, rule.reply(fault, self.settings.retry_after)

    def _early(self, request: Request, method: str, account: Account | None, fault: str) -> Reply | None:
        """The answer to a call that no view sees."""
        if fault == "reset_before_reading":
            return Reply(0, b"", manner="reset")
        if account is None:
            return answers.refusal(401, answers.BAD_KEY)
        account.meter.add(request.arrived)
        if wait := account.limiter.take(request.arrived):
            headers = f"Retry-After: {math.ceil(wait)}\r\n" if self.settings.retry_after else ""
            return Reply(429, answers.encode({"message": answers.TOO_MANY}), headers=headers)
        if request.method != method:
            return answers.refusal(500, answers.BROKEN)
        return None

    def _authenticated(self, header: str) -> Account | None:
        if header not in self._by_header:
            key = key_from(header)
            allowed = key is not None and (not self.settings.keys or key in self.settings.keys)
            if len(self._by_header) > 10_000:
                self._by_header.clear()
            self._by_header[header] = self.account(label_of(key)) if key and allowed else None
        return self._by_header[header]

    def _record(
        self,
        request: Request,
        operation: str,
        account: str | None,
        job: str | None,
        status: int | None,
        body: Any,
        accepted: bool = False,
        fault: str | None = None,
    ) -> int:
        call = Call(request.arrived, operation, account, job, status, accepted, fault, request.path)
        return self.calls.add(call, body)


def _view(route: routes.Route, context: Context) -> tuple[Answer | None, Reply]:
    try:
        answer = route.view(context)
    except Refused as refused:
        return None, answers.refusal(refused.status, refused.message)
    return answer, Reply(answer.status, answers.encode(answer.body))


def _json(request: Request) -> Any:
    if not request.body or request.headers.get("content-type", "").startswith("multipart/"):
        return None
    try:
        return json.loads(request.body.decode())
    except (ValueError, RecursionError):
        return None


def _job(body: Any) -> str | None:
    callback = body.get("callbackData") if isinstance(body, dict) else None
    job = callback.partition("|")[0] if isinstance(callback, str) else ""
    return job if 0 < len(job) <= 512 and job.isascii() and job.isprintable() else None
