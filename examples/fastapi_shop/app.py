"""One-time codes by WhatsApp, from coroutines."""

import asyncio
import secrets
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException
from shop_celery import endings

from interakt_jobs import Job, LedgerUnreachable, NoSuchJob, PayloadError, send_auth_template

app = FastAPI()


@app.post("/codes", status_code=201)
async def send_code(
    phone: Annotated[str, Form()], wait: Annotated[bool, Form()] = False
) -> dict[str, object]:
    """Send a code; with ``wait``, answer when Interakt has taken it."""
    code = f"{secrets.randbelow(10**6):06}"
    template = {
        "name": "auth_one_tap_code",
        "languageCode": "en",
        "bodyValues": [code],
        "buttonValues": {"0": [code]},
    }
    payload = {"countryCode": "+91", "phoneNumber": phone, "template": template}
    try:
        job = await asyncio.to_thread(
            send_auth_template.delay,
            payload,
            on_done="shop_celery.message_ended",
            on_done_queue="fastapi_shop",
        )
    except PayloadError as error:
        raise HTTPException(422, error.errors) from error
    except LedgerUnreachable as error:
        raise HTTPException(503, "try again later") from error
    result = await asyncio.to_thread(job.get, timeout=20) if wait else None
    return {"job": job.id, "result": result}


@app.get("/codes/{job_id}")
async def show(job_id: str) -> dict[str, object]:
    """Where the message is now."""
    try:
        status = await asyncio.to_thread(lambda: Job(job_id).status)
    except (NoSuchJob, ValueError) as error:
        raise HTTPException(404, "no such job") from error
    state = await asyncio.to_thread(endings.get, f"shop:ended:{job_id}")
    return {"job": job_id, "status": status, "message_state": state}
