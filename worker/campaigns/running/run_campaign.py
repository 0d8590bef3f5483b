"""``interakt.run_campaign``: an app or a schedule plans and starts a campaign with one ``.delay()``.

The job makes no call of its own. The campaign's id is made of the job's, so a job that is carried out again, after a
crash or because a beat asked twice, is the same campaign.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from interakt_jobs.errors import LedgerFull
from interakt_jobs.ledger.record import Record
from interakt_jobs.ledger.redis_client import RedisClient
from worker.campaigns.definition.definition import Definition, load, read
from worker.campaigns.definition.errors import CampaignError, NoSuchCampaign, PlanTaken
from worker.campaigns.planning.planner import Tally
from worker.campaigns.planning.preflight import ALLOW
from worker.campaigns.recipients.rows import Rejected, RejectsFile
from worker.campaigns.recipients.sources import Dicts, Source, open_source
from worker.campaigns.store.store import CampaignStore
from worker.delivery.outcomes import Done, Outcome, Retry, dead, log_entry
from worker.ledger.work_ledger import WorkLedger

from . import control

AGAIN_MS = 5000
FINISHED = ("running", "paused", "done", "cancelled")


def carry_out(
    folder: str | None, keep_seconds: int, ledger: WorkLedger, job_key: str, record: Record
) -> Outcome:
    """Carry a ``run_campaign`` job out, without a permit or a call; ``folder`` is where its files are read from."""
    try:
        payload = json.loads(record.payload)
        if not isinstance(payload, dict):
            raise CampaignError({"": "must be an object"})
        made = run_campaign(ledger.link, ledger.account, job_key, payload, folder)
        return Done(made["campaign"], "", made["status"], keep_seconds, data=json.dumps(made))
    except (PlanTaken, LedgerFull, OSError) as error:
        name = type(error).__name__
        return Retry(AGAIN_MS, f"cannot be planned now: {name}", log_entry("unavailable", name))
    except (CampaignError, NoSuchCampaign) as error:
        return dead("invalid_payload", str(error))
    except json.JSONDecodeError:
        return dead("invalid_payload", "the payload cannot be read")
    except (ValueError, TypeError, RecursionError) as error:
        return dead("invalid_payload", f"it cannot be planned: {type(error).__name__}")


def campaign_of(job_key: str) -> str:
    """The id of the campaign that a job makes."""
    return "c" + hashlib.sha256(job_key.encode()).hexdigest()[:12]


def run_campaign(
    link: RedisClient, account: str, job_key: str, payload: Mapping[str, Any], folder: str | None
) -> dict[str, Any]:
    """Plan what ``payload`` says and start it; returns ``campaign``, ``status``, ``recipients`` and ``rejected``.

    ``payload`` has ``campaign``, a planned one's id; or ``definition`` (a table, or the name of a TOML file) and
    ``recipients`` (the name of a file, or a list of dicts). Files are read from ``folder``; rows that are left out are
    listed there in ``rejected-<campaign>.csv``. Raises ``CampaignError``, ``NoSuchCampaign``, ``PlanTaken``, ``OSError``.
    """
    campaign = payload.get("campaign", "")
    if not campaign:
        campaign = campaign_of(job_key)
        _plan(link, account, campaign, payload, folder)
    elif not isinstance(campaign, str):
        raise CampaignError({"campaign": "must be a campaign's id"})
    store = CampaignStore(link, account, campaign)
    status = store.status()
    if status not in FINISHED:  # a repeat neither resumes nor revives what a person has stopped
        status = control.start(link, account, campaign)
    meta = store.meta()
    return {
        "campaign": campaign,
        "status": status,
        "recipients": int(meta.get("recipients", "0")),
        "rejected": json.loads(meta.get("rejected", "{}")),
    }


def look(link: RedisClient, account: str, payload: Mapping[str, Any], folder: str | None) -> None:
    """Check that such a job would find what it reads; raises ``CampaignError``, ``NoSuchCampaign``, ``OSError``."""
    if campaign := payload.get("campaign"):
        if not CampaignStore(link, account, str(campaign)).status():
            raise NoSuchCampaign(f"no campaign {campaign} in the account {account}")
        return
    _definition(payload.get("definition"), account, folder)
    _source(payload.get("recipients"), folder)


def _plan(
    link: RedisClient, account: str, campaign: str, payload: Mapping[str, Any], folder: str | None
) -> None:
    store = CampaignStore(link, account, campaign)
    if store.status() not in ("", "planning"):
        return
    definition = _definition(payload.get("definition"), account, folder)
    source = _source(payload.get("recipients"), folder)

    def accept(tally: Tally) -> None:
        if tally.nothing.counts and not definition.recipients.allow_empty_values:
            raise CampaignError({"recipients": f"{tally.nothing}; {ALLOW}"})

    rejects = _Rejects(Path(folder) / f"rejected-{campaign}.csv" if folder else None)
    try:
        control.create(link, definition, source, campaign=campaign, reject=rejects.add, accept=accept)
    except CampaignError:
        store.drop("planning")
        raise
    finally:
        rejects.close()


def _definition(given: Any, account: str, folder: str | None) -> Definition:
    if isinstance(given, str):
        made = load(inside(folder, given, "definition"))
        given = json.loads(made.source)
    if not isinstance(given, dict):
        raise CampaignError({"definition": "must be a table, or the name of a TOML file"})
    made = read({"account": account, **given})
    if made.account != account:
        raise CampaignError({"account": f"the definition's is {made.account}, the job's is {account}"})
    return made


def _source(given: Any, folder: str | None) -> Source:
    if isinstance(given, str):
        return open_source(inside(folder, given, "recipients"))
    if isinstance(given, list):
        return Dicts(given)
    raise CampaignError({"recipients": "must be the name of a file, or a list of objects"})


def inside(folder: str | None, name: str, field: str) -> Path:
    """The file ``name`` of the folder; raises ``CampaignError`` for one outside of it or that does not exist."""
    if not folder:
        raise CampaignError({field: "a file needs INTERAKT_CAMPAIGN_DIR"})
    root = Path(folder).resolve()
    try:
        found = (root / name).resolve()
        there = found.is_file()
    except (ValueError, OSError):
        raise CampaignError({field: "no such file in INTERAKT_CAMPAIGN_DIR"}) from None
    if not found.is_relative_to(root):
        raise CampaignError({field: "leads out of INTERAKT_CAMPAIGN_DIR"})
    if not there:
        raise CampaignError({field: "no such file in INTERAKT_CAMPAIGN_DIR"})
    return found


class _Rejects:
    """The file of rejected rows, made with the first of them; there is none if the folder cannot be written to."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._handle: TextIO | None = None
        self._rows: RejectsFile | None = None

    def add(self, row: Rejected) -> None:
        if self._path is None:
            return
        try:
            if self._rows is None:
                self._handle = self._path.open("w", newline="", encoding="utf-8")
                self._rows = RejectsFile(self._handle)
            self._rows.add(row)
        except (OSError, csv.Error):
            self._path = None

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
