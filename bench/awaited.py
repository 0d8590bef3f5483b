"""The job as a careful user writes it for asyncio: one schema, one aiohttp session for each process."""

from __future__ import annotations

from typing import Any

import aiohttp

import schemas
from bench import call


def session() -> aiohttp.ClientSession:
    """To be made inside the worker's loop, once."""
    return aiohttp.ClientSession(
        headers=call.headers(),
        connector=aiohttp.TCPConnector(limit=512),
        timeout=aiohttp.ClientTimeout(total=20),
    )


async def perform(session: aiohttp.ClientSession, payload: dict[str, Any]) -> str:
    """Check, send, give the id."""
    schemas.check("send_list", payload)
    async with session.post(call.url(), json=payload) as answer:
        return call.kept(answer.status, await answer.json())
