"""Every variable that we read: name, meaning, default; ``docs/settings.md`` is made of this."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from .fields import (
    LEAST_SECRET,
    Addresses,
    Broker,
    Choice,
    Dsn,
    Hidden,
    Number,
    Shares,
    Store,
    Switch,
    Task,
    Web,
    Words,
)

DAY = 86_400
STOP = (
    "stop,stop all,stop it,stop messages,stop sending messages,stop messaging,stop promotions,"
    "unsubscribe,unsub,cancel,quit,end,revoke,opt out,बंद,बंद करो,बंद करें,रोकें,रोको,band karo,band karen,alto,parar,baja,berhenti"
)
START = "start,unstop,subscribe,opt in,resume,शुरू,शुरू करो,शुरू करें,shuru karo,alta,mulai"
STOP_BUTTONS = "stop,stop all,stop promotions,stop messages,unsubscribe,unsub,opt out"
START_BUTTONS = "subscribe,opt in,unstop,start promotions,resume promotions"


def _what(text: str) -> dict[str, Any]:
    return {"metadata": {"what": text}}


class AccountSchema(Schema):
    """One account; with a suffix (`INTERAKT_API_KEY__BRAND_B`) it is a further account, here `brand_b`."""

    class Meta:
        unknown = EXCLUDE

    api_key = Hidden(
        data_key="INTERAKT_API_KEY",
        **_what(
            "The Secret Key of Interakt's Developer Settings, as shown there; a raw token is understood too."
        ),
    )
    base_url = Web(
        data_key="INTERAKT_BASE_URL",
        load_default="https://api.interakt.ai/v1/public/",
        **_what("The API's address; the sandbox's for staging."),
    )
    calls_per_minute = Number(
        0.001,
        10_000_000,
        data_key="INTERAKT_CALLS_PER_MINUTE",
        load_default=300,
        **_what(
            "The plan's limit: 300 Growth, 600 Advanced. Seeds the account; `account set` changes it later."
        ),
    )
    window_seconds = Number(
        0.05,
        3600,
        data_key="INTERAKT_WINDOW_SECONDS",
        load_default=60,
        **_what("The sliding window in which the limit holds."),
    )
    webhook_secret = Hidden(
        LEAST_SECRET,
        data_key="INTERAKT_WEBHOOK_SECRET",
        load_default=None,
        **_what("The secret that signs Interakt's webhooks; without it they are refused."),
    )


class SettingsSchema(Schema):
    """What holds for the whole deployment."""

    class Meta:
        unknown = EXCLUDE

    redis_url = Store(
        data_key="REDIS_URL",
        load_default="redis://127.0.0.1:6379/0",
        **_what(
            "The ledger's and Celery's Redis: `redis://`, `rediss://`, `redis+socket:///path`. No cluster."
        ),
    )
    sentry_dsn = Dsn(
        data_key="SENTRY_DSN",
        load_default=None,
        **_what("Where errors are reported; unset, sentry is not even loaded."),
    )
    allow_unknown_fields = Switch(
        data_key="INTERAKT_ALLOW_UNKNOWN_FIELDS",
        load_default=False,
        **_what("Let fields pass that this version does not know."),
    )
    max_payload_bytes = Number(
        1024,
        16_777_216,
        whole=True,
        data_key="INTERAKT_MAX_PAYLOAD_BYTES",
        load_default=262_144,
        **_what("The most bytes of a payload's JSON; read by producers too."),
    )
    http_deadline_seconds = Number(
        0.01,
        600,
        data_key="INTERAKT_HTTP_DEADLINE_SECONDS",
        load_default=20,
        **_what("One call's most time: DNS, connecting, TLS, the whole answer."),
    )
    max_age_seconds = Number(
        0.1,
        data_key="INTERAKT_MAX_AGE_SECONDS",
        load_default=3 * DAY,
        **_what("A job that has waited longer is dead (`too_old`)."),
    )
    keep_done_seconds = Number(
        1,
        data_key="INTERAKT_KEEP_DONE_SECONDS",
        load_default=3 * DAY,
        **_what("How long a result can be read."),
    )
    keep_dead_seconds = Number(
        1,
        data_key="INTERAKT_KEEP_DEAD_SECONDS",
        load_default=30 * DAY,
        **_what("How long a dead letter is kept."),
    )
    keep_dead_count = Number(
        1,
        whole=True,
        data_key="INTERAKT_KEEP_DEAD_COUNT",
        load_default=1_000_000,
        **_what("How many dead letters an account keeps; the oldest go first."),
    )
    hold_seconds = Number(
        0.01,
        DAY,
        data_key="INTERAKT_HOLD_SECONDS",
        load_default=60,
        **_what("How long a send of unknown outcome waits for its receipt."),
    )
    otp_hold_seconds = Number(
        0.01,
        DAY,
        data_key="INTERAKT_OTP_HOLD_SECONDS",
        load_default=20,
        **_what("The same for urgent jobs that expire."),
    )
    never_hold_seconds = Number(
        0.01,
        DAY,
        data_key="INTERAKT_NEVER_HOLD_SECONDS",
        load_default=600,
        **_what("The same for sends that are never repeated: after it they are dead letters."),
    )
    lease_seconds = Number(
        0.05,
        3600,
        data_key="INTERAKT_LEASE_SECONDS",
        load_default=30,
        **_what("How long a running job is a silent worker's; renewed by its heartbeat."),
    )
    release_seconds = Number(
        0.05,
        3600,
        data_key="INTERAKT_RELEASE_SECONDS",
        load_default=10,
        **_what("How long a released job may wait for a worker before it is released again."),
    )
    retry_base_seconds = Number(
        0.001,
        3600,
        data_key="INTERAKT_RETRY_BASE_SECONDS",
        load_default=1,
        **_what("The first retry comes within this time."),
    )
    retry_cap_seconds = Number(
        0.001,
        DAY,
        data_key="INTERAKT_RETRY_CAP_SECONDS",
        load_default=300,
        **_what("No retry waits longer, unless asked to."),
    )
    lane_shares = Shares(
        data_key="INTERAKT_LANE_SHARES",
        load_default={"urgent": 60, "normal": 20, "bulk": 20},
        **_what("Percent of the limit that each lane is guaranteed, and lends while idle."),
    )
    pair_seconds = Number(
        0,
        DAY,
        data_key="INTERAKT_PAIR_SECONDS",
        load_default=0,
        **_what("Least time between two sends to one recipient; 0: none."),
    )
    bulk_per_recipient_per_day = Number(
        0,
        1000,
        whole=True,
        data_key="INTERAKT_BULK_PER_RECIPIENT_PER_DAY",
        load_default=0,
        **_what("Most bulk messages to one recipient in a day; 0: any number."),
    )
    on_done_broker_url = Broker(
        data_key="INTERAKT_ON_DONE_BROKER_URL",
        load_default=None,
        **_what("The broker of the application whose tasks are told (`on_done`, inbound messages)."),
    )
    on_inbound = Task(
        data_key="INTERAKT_ON_INBOUND",
        load_default=None,
        **_what("The Celery task that is told of each inbound message."),
    )
    on_inbound_queue = Task(
        data_key="INTERAKT_ON_INBOUND_QUEUE", load_default="celery", **_what("The queue of that task.")
    )
    stop_words = Words(
        data_key="INTERAKT_STOP_WORDS",
        load_default=tuple(STOP.split(",")),
        **_what(
            "A message that is one of these, in letters of any case and with courtesy, opts its sender out."
        ),
    )
    start_words = Words(
        data_key="INTERAKT_START_WORDS",
        load_default=tuple(START.split(",")),
        **_what("A message that is one of these ends the opt-out."),
    )
    stop_buttons = Words(
        data_key="INTERAKT_STOP_BUTTONS",
        load_default=tuple(STOP_BUTTONS.split(",")),
        **_what("A tap on a button with one of these as its title or id opts out; other buttons never do."),
    )
    start_buttons = Words(
        data_key="INTERAKT_START_BUTTONS",
        load_default=tuple(START_BUTTONS.split(",")),
        **_what("A tap on a button with one of these as its title or id ends the opt-out."),
    )
    session_window_guard = Switch(
        data_key="INTERAKT_SESSION_WINDOW_GUARD",
        load_default=False,
        **_what("Refuse session messages outside the 24-hour window before they cost a call."),
    )
    silence_minutes = Number(
        0.001,
        1440,
        data_key="INTERAKT_SILENCE_MINUTES",
        load_default=30,
        **_what("Sends accepted and no receipt for so long: an alarm."),
    )
    spool_dir = fields.String(
        data_key="INTERAKT_SPOOL_DIR",
        load_default=None,
        **_what("Where webhooks wait on disk while Redis is away."),
    )
    rcs_path_secret = Hidden(
        LEAST_SECRET,
        data_key="INTERAKT_RCS_PATH_SECRET",
        load_default=None,
        **_what("The secret part of the RCS callbacks' path; they are unsigned."),
    )
    rcs_allowed_ips = Addresses(
        data_key="INTERAKT_RCS_ALLOWED_IPS",
        load_default=(),
        **_what("Addresses or networks that may call it; none listed: any."),
    )
    campaign_dir = fields.String(
        data_key="INTERAKT_CAMPAIGN_DIR",
        load_default=None,
        **_what("The folder from which `run_campaign` may read definitions and recipients; unset: none."),
    )
    schedule_file = fields.String(
        data_key="INTERAKT_SCHEDULE_FILE",
        load_default=None,
        **_what("The TOML file of beat's own schedules; unset: `config/schedule.toml`."),
    )
    upload_dir = fields.String(
        data_key="INTERAKT_UPLOAD_DIR",
        load_default=None,
        **_what("The folder from which `upload_template_media` may read a `filePath`; unset: none."),
    )
    upload_private_urls = Switch(
        data_key="INTERAKT_UPLOAD_PRIVATE_URLS",
        load_default=False,
        **_what("Let `fileUrl` name a private address; for staging."),
    )
    log_format = Choice(
        "json",
        "text",
        data_key="INTERAKT_LOG_FORMAT",
        load_default="json",
        **_what("One JSON object a line, or text."),
    )
    log_level = Choice(
        "DEBUG",
        "INFO",
        "WARNING",
        "ERROR",
        "CRITICAL",
        data_key="INTERAKT_LOG_LEVEL",
        load_default="INFO",
        **_what("The least level that is logged."),
    )
    poison_guard = Switch(
        data_key="INTERAKT_POISON_GUARD",
        load_default=True,
        **_what("Read each message before Celery does, so that a malformed one cannot end the worker."),
    )
    web_host = fields.String(
        data_key="INTERAKT_WEB_HOST",
        load_default="127.0.0.1",
        **_what("The address at which `web` listens: your proxy's machine; in a container `0.0.0.0`."),
    )
    port = Number(0, 65_535, whole=True, data_key="PORT", load_default=8000, **_what("Where `web` listens."))
