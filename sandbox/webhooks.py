"""Status webhooks and inbound messages, sent as Interakt sends them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox import clock, hooks, shapes
from sandbox.accounts import Account
from sandbox.answers import Message, encode
from sandbox.hooks import Hook
from sandbox.sender import Sender

RETRIES = 3


@dataclass(slots=True)
class _Event:
    hook: Hook
    url: str
    body: bytes
    headers: dict[str, str]
    forged: bool = False
    tries: int = 0


class Webhooks:
    """All hooks, by account label; the one of ``""`` serves accounts that have none of their own."""

    def __init__(self) -> None:
        self.hooks: dict[str, Hook] = {}
        self._sender = Sender()
        self._random = random.Random()
        self._queue: asyncio.Queue[_Event] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._run = 0

    def set(self, label: str, given: dict[str, Any]) -> Hook:
        """Replace an account's hook, enabled and with fresh counters; raises ``ValueError``."""
        self.hooks[label] = hook = hooks.read(given)
        self._random = random.Random(hook.seed)
        return hook

    def clear(self) -> None:
        """Forget every hook and everything that was to be sent."""
        self._run += 1
        self.hooks.clear()
        self._queue = asyncio.Queue()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._sender.close()

    def accepted(self, account: Account, message: Message) -> None:
        """A message was accepted: its status webhooks follow, as the hook's shares have it."""
        hook = self._hook(account.label)
        if hook is None or not (hook.rcs_url if message.rcs else hook.url):
            return
        code = hook.fail_phones.get(message.phone, "")
        if not code and hook.share_fail and self._random.random() < hook.share_fail:
            code = hook.fail_code
        states = [state for state in hook.statuses if not code or state == "sent"]
        if code:
            states = [state for state in states if state != "failed"] + ["failed"]
        if self._happens(hook.share_shuffle):
            straight = list(states)
            while len(states) > 1 and states == straight:
                self._random.shuffle(states)
        if self._happens(hook.share_forge) and not message.rcs:
            body = encode(
                shapes.status(account, message, self._random.choice(("failed", "read")), "131026", 0)
            )
            self._put(_Event(hook, hook.url, body, _signature(secrets.token_hex(16), body), forged=True))
        self._later(self._run, hook, account, message, states, code, clock.now())

    def wrote(self, account: Account, phone: str, content: dict[str, Any]) -> bool:
        """A person wrote: tell it to the hook; False when there is none to tell."""
        hook = self._hook(account.label)
        if content.get("rcs"):
            return self._tell_rcs(hook, shapes.rcs_received(phone, content))
        return self.tell(account.label, shapes.received(account, phone, content))

    def tell(self, label: str, payload: dict[str, Any]) -> bool:
        """Send one payload, signed; False when the account has no hook."""
        hook = self._hook(label)
        if hook is None or not hook.url:
            return False
        body = encode(payload)
        self._put(_Event(hook, hook.url, body, _signature(hook.secret, body)))
        return True

    def _tell_rcs(self, hook: Hook | None, payload: dict[str, Any]) -> bool:
        if hook is None or not hook.rcs_url:
            return False
        body = encode(payload)
        self._put(_Event(hook, hook.rcs_url, body, _signature(hook.secret, body) if hook.sign_rcs else {}))
        return True

    def _hook(self, label: str) -> Hook | None:
        return self.hooks.get(label) or self.hooks.get("")

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _later(self, run: int, hook: Hook, account: Account, message: Message, *rest: Any) -> None:
        delay = self._random.uniform(*hook.delay_ms) / 1000
        asyncio.get_running_loop().call_later(delay, self._step, run, hook, account, message, *rest)

    def _step(
        self,
        run: int,
        hook: Hook,
        account: Account,
        message: Message,
        states: list[str],
        code: str,
        sent_at: float,
    ) -> None:
        if run != self._run or not states:
            return
        state = states.pop(0)
        times = 2 if self._happens(hook.share_double) else 1
        if self._happens(hook.share_drop):
            hook.counts["dropped"] += 1
            times = 0
        for _ in range(times):
            if message.rcs:
                if payload := shapes.rcs_status(message, state):
                    self._tell_rcs(hook, payload)
            else:
                body = encode(shapes.status(account, message, state, code, sent_at))
                self._put(_Event(hook, hook.url, body, _signature(hook.secret, body)))
        if states:
            self._later(run, hook, account, message, states, code, sent_at)

    def _put(self, event: _Event) -> None:
        if event.hook.disabled:
            event.hook.counts["lost_while_disabled"] += 1
            return
        event.hook.counts["queued"] += 1
        self._queue.put_nowait(event)
        if len(self._tasks) < event.hook.connections:
            self._tasks.append(asyncio.get_running_loop().create_task(self._work()))

    async def _work(self) -> None:
        while True:
            event = await self._queue.get()
            hook = event.hook
            if hook.disabled:
                hook.counts["lost_while_disabled"] += 1
                continue
            hook.counts["sent"] += 1
            status = await self._sender.post(event.url, event.body, event.headers)
            if event.forged:
                hook.counts["forged_taken" if status == 200 else "forged_refused"] += 1
            elif status == 200:
                hook.counts["answered"] += 1
            else:
                hook.failed()
                if not hook.no_retry and event.tries < RETRIES:
                    event.tries += 1
                    asyncio.get_running_loop().call_later(2.0 ** (event.tries - 1), self._put, event)


def _signature(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"Interakt-Signature": f"sha256={digest}"}
