"""Every setting, declared once: its type, the values allowed, its default and what it means.

The schema, the documentation (docs/settings.md) and the defaults that Lua is given are made of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marshmallow import fields

from .declaration import NEEDED, setting
from .fields import Addresses, Choice, Number, Shares, Switch, Task, Words
from .secret import LEAST_SECRET, Dsn, Hidden, PathSecret, Secret
from .urls import Broker, Store, Web

DAY = 86_400
STOP = (
    "stop,stop all,stop it,stop messages,stop sending messages,stop messaging,stop promotions,"
    "unsubscribe,unsub,cancel,quit,end,revoke,opt out,बंद,बंद करो,बंद करें,रोकें,रोको,band karo,band karen,alto,parar,baja,berhenti"
)
START = "start,unstop,subscribe,opt in,resume,शुरू,शुरू करो,शुरू करें,shuru karo,alta,mulai"
STOP_BUTTONS = "stop,stop all,stop promotions,stop messages,unsubscribe,unsub,opt out"
START_BUTTONS = "subscribe,opt in,unstop,start promotions,resume promotions"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account. With a suffix (`INTERAKT_API_KEY__BRAND_B`) a variable is a further account's, here `brand_b`."""

    name: str
    api_key: Secret = setting(
        Hidden(),
        NEEDED,
        "The Secret Key of Interakt's Developer Settings, as shown there; a raw token is understood too.",
    )
    base_url: str = setting(
        Web(), "https://api.interakt.ai/v1/public/", "The API's address; the sandbox's for staging."
    )
    calls_per_minute: float = setting(
        Number(0.001, 10_000_000),
        300,
        "The plan's limit: 300 Growth, 600 Advanced. Seeds the account; `account set` changes it later.",
    )
    window_seconds: float = setting(Number(0.05, 3600), 60, "The sliding window in which the limit holds.")
    webhook_secret: Secret | None = setting(
        Hidden(LEAST_SECRET), None, "The secret that signs Interakt's webhooks; without it they are refused."
    )
    webhook_secret_old: Secret | None = setting(
        Hidden(LEAST_SECRET), None, "The secret before, which is taken too while you change it."
    )

    @property
    def webhook_secrets(self) -> tuple[Secret, ...]:
        """Those that sign the account's webhooks: today's, and the one before while it is changed."""
        return tuple(secret for secret in (self.webhook_secret, self.webhook_secret_old) if secret)

    @property
    def calls_per_window(self) -> int:
        """Whole calls allowed in one window, at least 1."""
        return max(1, int(self.calls_per_minute * self.window_seconds / 60 + 1e-6))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for the whole deployment; seconds unless the name says otherwise."""

    accounts: Mapping[str, Account]
    redis_url: str = setting(
        Store(),
        "redis://127.0.0.1:6379/0",
        "The ledger's and Celery's Redis: `redis://`, `rediss://`, `redis+socket:///path`. No cluster.",
        name="REDIS_URL",
        repr=False,
    )
    sentry_dsn: Secret | None = setting(
        Dsn(), None, "Where errors are reported; unset, sentry is not even loaded.", name="SENTRY_DSN"
    )
    allow_unknown_fields: bool = setting(Switch(), False, "Let fields pass that this version does not know.")
    max_payload_bytes: int = setting(
        Number(1024, 16_777_216, whole=True),
        262_144,
        "The most bytes of a payload's JSON; read by producers too.",
    )
    http_deadline_seconds: float = setting(
        Number(0.01, 600), 20, "One call's most time: DNS, connecting, TLS, the whole answer."
    )
    max_age_seconds: float = setting(
        Number(0.1), 3 * DAY, "A job that has waited longer is dead (`too_old`)."
    )
    keep_done_seconds: float = setting(Number(1), 3 * DAY, "How long a result can be read.")
    keep_dead_seconds: float = setting(Number(1), 30 * DAY, "How long a dead letter is kept.")
    keep_dead_count: int = setting(
        Number(1, whole=True), 1_000_000, "How many dead letters an account keeps; the oldest go first."
    )
    hold_seconds: float = setting(
        Number(0.01, DAY), 60, "How long a send of unknown outcome waits for its receipt."
    )
    otp_hold_seconds: float = setting(Number(0.01, DAY), 20, "The same for urgent jobs that expire.")
    never_hold_seconds: float = setting(
        Number(0.01, DAY), 600, "The same for sends that are never repeated: after it they are dead letters."
    )
    lease_seconds: float = setting(
        Number(0.05, 3600), 30, "How long a running job is a silent worker's; renewed by its heartbeat."
    )
    release_seconds: float = setting(
        Number(0.05, 3600), 10, "How long a released job may wait for a worker before it is released again."
    )
    retry_base_seconds: float = setting(Number(0.001, 3600), 1, "The first retry comes within this time.")
    retry_cap_seconds: float = setting(Number(0.001, DAY), 300, "No retry waits longer, unless asked to.")
    lane_shares: Mapping[str, int] = setting(
        Shares(),
        {"urgent": 60, "normal": 20, "bulk": 20},
        "Percent of the limit that each lane is guaranteed, and lends while idle.",
    )
    pair_seconds: float = setting(
        Number(0, DAY), 0, "Least time between two sends to one recipient; 0: none."
    )
    bulk_per_recipient_per_day: int = setting(
        Number(0, 1000, whole=True), 0, "Most bulk messages to one recipient in a day; 0: any number."
    )
    on_done_broker_url: str | None = setting(
        Broker(),
        None,
        "The broker of the application whose tasks are called (`on_done`, inbound messages).",
        repr=False,
    )
    on_inbound: str | None = setting(
        Task(), None, "The Celery task that gets the id of each inbound message."
    )
    on_inbound_queue: str = setting(Task(), "celery", "The queue of that task.")
    stop_words: tuple[str, ...] = setting(
        Words(),
        tuple(STOP.split(",")),
        "A message that is one of these, in letters of any case and with courtesy, opts its sender out.",
    )
    start_words: tuple[str, ...] = setting(
        Words(), tuple(START.split(",")), "A message that is one of these ends the opt-out."
    )
    stop_buttons: tuple[str, ...] = setting(
        Words(),
        tuple(STOP_BUTTONS.split(",")),
        "A tap on a button with one of these as its title or id opts out; other buttons never do.",
    )
    start_buttons: tuple[str, ...] = setting(
        Words(),
        tuple(START_BUTTONS.split(",")),
        "A tap on a button with one of these as its title or id ends the opt-out.",
    )
    session_window_guard: bool = setting(
        Switch(), False, "Refuse session messages outside the 24-hour window before they cost a call."
    )
    silence_minutes: float = setting(
        Number(0.001, 1440), 30, "Sends accepted and no receipt for so long: an alarm."
    )
    spool_dir: str | None = setting(fields.String(), None, "Where webhooks wait on disk while Redis is away.")
    rcs_path_secret: Secret | None = setting(
        PathSecret(LEAST_SECRET), None, "The secret part of the RCS callbacks' path; they are unsigned."
    )
    rcs_path_secret_old: Secret | None = setting(
        PathSecret(LEAST_SECRET), None, "The one before, which is taken too while you change it."
    )
    rcs_allowed_ips: tuple[str, ...] = setting(
        Addresses(), (), "Addresses or networks that may call it; none listed: any."
    )
    campaign_dir: str | None = setting(
        fields.String(),
        None,
        "The folder from which `run_campaign` may read definitions and recipients; unset: none.",
    )
    schedule_file: str | None = setting(
        fields.String(), None, "The TOML file of beat's own schedules; unset: `config/schedule.toml`."
    )
    upload_dir: str | None = setting(
        fields.String(),
        None,
        "The folder from which `upload_template_media` may read a `filePath`; unset: none.",
    )
    upload_private_urls: bool = setting(Switch(), False, "Let `fileUrl` name a private address; for staging.")
    log_format: str = setting(Choice("json", "text"), "json", "One JSON object a line, or text.")
    log_level: str = setting(
        Choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO", "The least level that is logged."
    )
    poison_guard: bool = setting(
        Switch(), True, "Read each message before Celery does, so that a malformed one cannot end the worker."
    )
    web_host: str = setting(
        fields.String(),
        "127.0.0.1",
        "Where `web` listens, for your TLS proxy on the same machine; in a container `0.0.0.0`.",
    )
    port: int = setting(Number(0, 65535, whole=True), 8000, "Where `web` listens.", name="PORT")
    warnings: tuple[str, ...] = ()
