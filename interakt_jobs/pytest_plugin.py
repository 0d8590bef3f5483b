"""The pytest fixture ``interakt_outbox``, found by pytest when this package is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Outbox


@pytest.fixture
def interakt_outbox() -> Iterator[Outbox]:
    """Jobs are recorded instead of enqueued: an ``interakt_jobs.testing.Outbox``."""
    from .testing import recording

    with recording() as outbox:
        yield outbox
