"""Each account: its key, with one harmless read; its limit; its webhook secret; and those that nobody has a key for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from config.accounts import variable_of
from config.settings import Account, Settings
from interakt_jobs.errors import JobError
from interakt_jobs.ledger.keys import ACCOUNTS
from interakt_jobs.ledger.redis_client import RedisClient
from worker.interakt.client import Client
from worker.interakt.errors import InteraktError
from worker.ledger import status
from worker.ledger.status import Status

from . import Check, Mark

Permit = Callable[[str], None]


def examine_accounts(settings: Settings, link: RedisClient, permit: Permit) -> Iterator[Check]:
    """A call with each account's key, its webhook secret, and what the ledger knows beyond these accounts."""
    found = _statuses(link)
    for account in settings.accounts.values():
        yield _key(account, settings, permit, found.get(account.name))
        yield _webhooks(account)
    for name, one in found.items():
        if name not in settings.accounts and one.keyless_ms:
            yield _keyless(one)


def _statuses(link: RedisClient) -> dict[str, Status]:
    try:
        names = sorted(name.decode("utf-8", "replace") for name in link.command("SMEMBERS", ACCOUNTS))
        return {name: status.read(link, name) for name in names}
    except JobError:  # the checks of Redis have said so
        return {}


def _key(account: Account, settings: Settings, permit: Permit, known: Status | None) -> Check:
    """One page of one template: the cheapest call that shows whether the key, the plan and the URL are right."""
    name = f"account {account.name}"
    try:
        client = Client(account.base_url, account.api_key.reveal(), deadline=settings.http_deadline_seconds)
    except ValueError as error:
        mend = f"copy the Secret Key again into {variable_of(account.name)}"
        return Check(name, "failure", str(error), mend)
    try:
        permit(account.name)
        client.call("list_templates", {"offset": 0, "limit": 1})
    except InteraktError as error:
        mark: Mark = "warning" if error.throttled else "failure"
        return Check(name, mark, str(error), _mend(error, account))
    except Exception as error:  # noqa: BLE001  the hook is not ours
        return Check(name, "warning", f"not asked: {error}", "run the doctor again later")
    return Check(name, "ok", f"the key is accepted, {_limit(account, known)}")


def _limit(account: Account, known: Status | None) -> str:
    """What holds: the environment only seeds the limit."""
    if known is None or not known.rate:
        return f"{account.calls_per_minute:g} calls a minute once a worker has started"
    holds = known.rate * 60_000 / known.window_ms
    other = abs(holds - account.calls_per_minute) > 0.5
    said = variable_of(account.name, "INTERAKT_CALLS_PER_MINUTE")
    return (
        f"{holds:g} calls a minute"
        + (f", cut to {known.factor:.0%} after a 429" if known.factor < 1 else "")
        + (f" by `account set` ({said} says {account.calls_per_minute:g})" if other else "")
    )


def _webhooks(account: Account) -> Check:
    name, variable = f"webhooks {account.name}", variable_of(account.name, "INTERAKT_WEBHOOK_SECRET")
    if account.webhook_secret is not None:
        return Check(name, "ok", "a secret is set")
    found = f"{variable} is not set: webhooks are refused, nobody learns of deliveries and STOPs"
    return Check(name, "warning", found, "set it to the secret of Interakt's webhook (docs/webhooks.md)")


def _keyless(one: Status) -> Check:
    name, waiting = f"account {one.account}", one.waiting
    if not waiting:
        return Check(name, "ok", "no worker has its key, and nothing waits for it")
    found = f"no worker has its key, and {waiting:,} jobs wait for it"
    return Check(name, "failure", found, f"set {variable_of(one.account)} for the workers and restart them")


def _mend(error: InteraktError, account: Account) -> str:
    if error.throttled:
        return "the key works, but its limit is used up: is something else using it?"
    if error.outcome != "refused":
        return "the API cannot be reached: check the network, the proxy and INTERAKT_BASE_URL"
    if error.scope == "deployment":
        return "mend INTERAKT_BASE_URL: it ends in /v1/public/"
    if error.status == 401:
        variable = variable_of(account.name)
        return f"put the Secret Key of Developer Settings into {variable}, as it is shown there"
    return "see what Interakt says; plans below Growth have no API"
