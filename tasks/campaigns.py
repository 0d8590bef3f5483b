"""Sections 5 and 6: campaigns and customers."""

from __future__ import annotations

from typing import Any

from interakt_jobs import Operation
from interakt_jobs import run_campaign as run_campaign_job

from .app import app
from .job_task import JobTask


class CampaignTask(JobTask):
    """A task for what is no call of Interakt's API; the worker checks it when it carries it out."""

    @property
    def _operation(self) -> Operation[Any]:
        return run_campaign_job

    def check(self, payload: Any) -> None:
        """Check names and types; raises ``PayloadError``."""
        self._operation.check(payload)


@app.task(bind=True, base=JobTask, name="interakt.create_campaign", operation="create_campaign")
def create_campaign(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """5.1 Register a campaign at Interakt."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=JobTask, name="interakt.find_users", operation="find_users")
def find_users(self: JobTask, /, *args: Any, **kwargs: Any) -> str | None:
    """6.1 One page of users by filters."""
    return self.accept(args, kwargs)


@app.task(bind=True, base=CampaignTask, name="interakt.run_campaign", operation="run_campaign")
def run_campaign(self: CampaignTask, /, *args: Any, **kwargs: Any) -> str | None:
    """Plan a campaign and start it, or start one that is planned; its result names the campaign."""
    return self.accept(args, kwargs)
