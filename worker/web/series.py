"""The counters of an account's ``count`` hash as Prometheus series: what a field's first word means, what its labels may be.

A field is ``word|label|label``. A label's value that is not listed here is shown as ``other``: nothing that comes
from outside can make a new series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from interakt_jobs import OPERATIONS
from interakt_jobs.ledger.constants import LANES
from interakt_jobs.ledger.recipient_numbers import DEAD_REASONS
from worker.interakt import failure_codes

from .buckets import cumulative

OPERATION = frozenset(OPERATIONS)
LANE = frozenset(LANES)
OUTCOME = frozenset({"accepted", "refused", "unavailable", "unknown", "throttled", "dead"})
REASON = frozenset(DEAD_REASONS)
KIND = frozenset({"sent", "delivered", "read", "failed", "clicked"})
RESULT = frozenset(
    {
        "taken", "spooled", "replayed", "full", "bad_signature", "bad_path", "bad_address", "no_secret", "too_large",
        "too_slow", "unread", "read", "unknown_path", "refused", "stale", "old_secret",
    }
)  # fmt: skip


class Series(NamedTuple):
    """A counter: its name without ``_total``, what it counts, and its labels with their values."""

    name: str
    what: str
    labels: dict[str, frozenset[str]]


COUNTERS = {
    "enqueued": Series(
        "interakt_enqueued", "Jobs accepted from applications.", {"operation": OPERATION, "lane": LANE}
    ),
    "released": Series("interakt_released", "Jobs handed to workers by the dispatcher.", {"lane": LANE}),
    "attempts": Series("interakt_attempts", "Calls started.", {"operation": OPERATION}),
    "outcome": Series(
        "interakt_outcomes",
        "What came of attempts.",
        {"operation": OPERATION, "lane": LANE, "outcome": OUTCOME},
    ),
    "dead": Series("interakt_dead_letters", "Jobs that ended without being accepted.", {"reason": REASON}),
    "replayed": Series("interakt_replayed", "Dead letters sent again by hand.", {"operation": OPERATION}),
    "ambiguous": Series(
        "interakt_ambiguous", "Jobs that may have been accepted twice.", {"operation": OPERATION}
    ),
    "late": Series(
        "interakt_late", "Outcomes that became known after the job was given up.", {"operation": OPERATION}
    ),
    "breaker": Series("interakt_breaker_opened", "Times the account was paused.", {}),
    "template_paused": Series("interakt_template_paused", "Times a template was paused.", {}),
    "receipt": Series("interakt_receipts", "Receipts by kind.", {"kind": KIND}),
    "delivery_failed": Series(
        "interakt_delivery_failed",
        "Accepted messages that were not delivered.",
        {"code": frozenset(failure_codes.codes())},
    ),
    "inbound": Series("interakt_inbound", "Messages that people wrote.", {}),
    "outbox_dropped": Series(
        "interakt_outbox_dropped", "Messages for applications that were not kept: too many waited.", {}
    ),
    "webhook": Series("interakt_webhooks", "Webhooks by what became of them.", {"result": RESULT}),
}
HISTOGRAMS = {
    "wait": Series("interakt_wait_seconds", "From when a job was due to its call.", {"lane": LANE}),
    "call": Series("interakt_call_seconds", "Calls of the API.", {"operation": OPERATION}),
    "receipt": Series(
        "interakt_receipt_delay_seconds",
        "From the answer, or a lost call, to the receipt.",
        {"kind": KIND},
    ),
}


def counters(counts: Mapping[str, Mapping[str, int]]) -> Iterable[CounterMetricFamily]:
    """The counters of all accounts."""
    for word, series in COUNTERS.items():
        family = CounterMetricFamily(series.name, series.what, labels=["account", *series.labels])
        for account, fields in counts.items():
            for labels, number in _grouped(word, series, fields).items():
                family.add_metric([account, *labels], number)
        yield family


def histograms(counts: Mapping[str, Mapping[str, int]]) -> Iterable[HistogramMetricFamily]:
    """The durations of all accounts, in seconds."""
    for word, series in HISTOGRAMS.items():
        family = HistogramMetricFamily(series.name, series.what, labels=["account", *series.labels])
        (allowed,) = series.labels.values()
        for account, fields in counts.items():
            for label in sorted(allowed):
                total = fields.get(f"{word}_ms|{label}")
                if total is not None:
                    family.add_metric([account, label], cumulative(word, label, fields), total / 1000)
        yield family


def _grouped(word: str, series: Series, fields: Mapping[str, int]) -> Counter[tuple[str, ...]]:
    grouped: Counter[tuple[str, ...]] = Counter()
    for field, number in fields.items():
        first, *rest = field.split("|")
        if first != word or (series.labels and len(rest) != len(series.labels)):
            continue
        values = zip(rest, series.labels.values(), strict=False)
        grouped[tuple(value if value in allowed else "other" for value, allowed in values)] += number
    return grouped
