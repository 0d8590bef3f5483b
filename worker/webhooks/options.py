"""What the web process needs to know, made from the settings in one place."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import Settings
from interakt_jobs.ledger.keys import DEFAULT_ACCOUNT

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """``secrets`` maps each account to its webhook secrets, today's first; so are ``rcs_secrets``.

    ``stream_most`` webhooks of an account may wait in Redis, and Redis may be full to ``memory_share``; beyond that
    they wait on disk, at most ``spool_bytes`` of them.
    """

    redis_url: str = field(repr=False)
    spool_dir: Path
    secrets: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    rcs_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    rcs_networks: tuple[Network, ...] = ()
    body_bytes: int = 1 << 20
    spool_bytes: int = 1 << 30
    stream_most: int = 100_000
    memory_share: float = 0.85
    public_metrics: bool = False


def web_settings(settings: Settings, *, public_metrics: bool = False) -> WebSettings:
    """Of the process's settings; the account ``default`` is always there."""
    secrets = {
        name: tuple(secret.reveal().encode() for secret in account.webhook_secrets)
        for name, account in settings.accounts.items()
    }
    rcs = settings.rcs_path_secret, settings.rcs_path_secret_old
    return WebSettings(
        redis_url=settings.redis_url,
        spool_dir=Path(settings.spool_dir) if settings.spool_dir else _state_folder(),
        secrets={DEFAULT_ACCOUNT: (), **secrets},
        rcs_secrets=tuple(secret.reveal().encode() for secret in rcs if secret),
        rcs_networks=tuple(ipaddress.ip_network(each, strict=False) for each in settings.rcs_allowed_ips),
        public_metrics=public_metrics,
    )


def _state_folder() -> Path:
    """Where a user's programs keep what must outlive a restart (XDG's default)."""
    return Path("~/.local/state/interakt/spool").expanduser()
