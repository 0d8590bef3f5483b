"""Settings tried for use, beyond their form, before a worker starts: keys and folders."""

from __future__ import annotations

import os
from pathlib import Path

from config.accounts import variable_of
from config.settings import Settings
from worker.interakt.auth import authorization


def try_settings(settings: Settings) -> dict[str, str]:
    """What is wrong with each variable and the fix, as ``SettingsError`` takes it; empty when all can be used."""
    found = {}
    for name, account in settings.accounts.items():
        try:
            authorization(account.api_key.reveal())
        except ValueError as error:
            found[variable_of(name)] = f"{error}: copy the Secret Key again"
    folders = {"INTERAKT_CAMPAIGN_DIR": settings.campaign_dir, "INTERAKT_UPLOAD_DIR": settings.upload_dir}
    for variable, folder in folders.items():
        if folder and not (Path(folder).is_dir() and os.access(folder, os.R_OK | os.X_OK)):
            found[variable] = f"{folder} is no folder that can be read: make or mount it, or unset this"
    return found
