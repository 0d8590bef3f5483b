"""Every Python block of the documents runs as printed, and what an application copies passes a strict type check."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sandbox.stack import ROOT, Stack

from .blocks import PAGES, Block, blocks
from .conftest import Page
from .exceptions import CANNOT_IMPORT

PAYLOAD = """
payload = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
"""
TEMPLATE = """
from interakt_jobs import send_template
payload = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Template",
           "template": {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]}}
rows = [payload] * 3
"""
# a piece of a block -> what the page has said before it
BEFORE = {
    "await asyncio.to_thread(": f"import asyncio\nfrom interakt_jobs import send_text{PAYLOAD}",
    "send_template.delay_many((payload,": TEMPLATE,
    'on_done="shop.message_ended", on_done_queue=': TEMPLATE,
    "register_script(lua)": (
        "import hashlib, json, os, redis, subprocess, sys, uuid\n"
        + f"REDIS_URL = os.environ['REDIS_URL']{PAYLOAD}"
    ),
    'send_task("interakt.send_image"': (
        "import os, uuid\nfrom celery import Celery\nREDIS_URL = os.environ['REDIS_URL']\nmy_id = str(uuid.uuid4())\n"
        'payload = {"phoneNumber": "9999999999", "data": {"mediaUrl": "https://example.com/offer.jpg"}}\n'
    ),
    "with Sandbox(": """
import json, urllib.request
def send_something(base_url, key):
    body = {"phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hello"}}
    for number in range(100):
        call = urllib.request.Request(base_url + "message/", json.dumps(body).encode())
        call.add_header("Authorization", f"Basic {key}")
        urllib.request.urlopen(call).read()
""",
    "(interakt_outbox)": f"""{TEMPLATE}
def sign_up(phone):
    send_template.delay({{**payload, "phoneNumber": phone}})
""",
}
RUN = """
import ast, asyncio, inspect, sys
code = compile(open(sys.argv[1]).read(), sys.argv[1], "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
done = eval(code, {"__name__": "__main__"})
if inspect.isawaitable(done):
    asyncio.run(done)
"""
PYTHON = [block for page in PAGES for block in blocks(page) if block.language == "python"]


def place(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("block", PYTHON, ids=place)
def test_a_block_runs_as_printed(block: Block, checkout: Path, stack: Stack, tmp_path: Path) -> None:
    compile(block.text, place(block), "exec", 0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if any(piece in block.text for piece in CANNOT_IMPORT):
        return
    page = Page(checkout, stack)
    before = "".join(code for piece, code in BEFORE.items() if piece in block.text)
    program = tmp_path / "test_block.py"
    program.write_text(before + "\n" + page.fill_in(block.text))
    runner = (
        ["-m", "pytest", "-q", "-p", "interakt_jobs.pytest_plugin", str(program)]
        if "interakt_outbox" in block.text
        else ["-c", RUN, str(program)]
    )
    done = subprocess.run(
        [sys.executable, *runner],
        cwd=checkout,
        env={**page.environment, "INTERAKT_REDIS_URL": stack.valkey.url, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr


def test_what_an_application_copies_passes_a_strict_type_check(tmp_path: Path) -> None:
    copied = [block for block in PYTHON if block.text.startswith("from interakt_jobs import")]
    assert {block.page for block in copied} >= {"README.md", "docs/applications.md"}
    for number, block in enumerate(copied):
        (tmp_path / f"copied_{number}.py").write_text(block.text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    wrong = [line for line in done.stdout.splitlines() if line.startswith("copied_")]
    assert "copied_" not in "".join(wrong), done.stdout + done.stderr
    assert done.stdout, done.stderr


@pytest.mark.parametrize(
    "block", [block for page in PAGES for block in blocks(page) if block.language == "toml"], ids=place
)
def test_a_file_of_the_pages_is_one_that_is_read(block: Block) -> None:
    from worker.schedules.definition import read

    for name, fields in tomllib.loads(block.text).items():
        assert read(name, fields).name == name
