"""Every operation is complete: exported, with an example that the sandbox accepts under its name, and a place."""

from __future__ import annotations

from pathlib import Path

import pytest

import interakt_jobs
from examples.demo.plan import document_items, further_items
from interakt_jobs.operations import OPERATIONS
from sandbox.app import App
from sandbox.control import Sandbox
from sandbox.incoming import Request
from sandbox.routes import ROUTES as SANDBOX
from sandbox.settings import Settings
from schemas import complete
from worker.interakt.client import Client
from worker.interakt.uploads import Uploads


def test_every_route_is_one_that_the_sandbox_answers_with_that_method() -> None:
    for operation in OPERATIONS.values():
        assert SANDBOX[operation.path].method == operation.method


def test_only_the_documented_path_has_no_trailing_slash() -> None:
    assert {operation.path for operation in OPERATIONS.values() if not operation.path.endswith("/")} == {
        "track/organization/templates"
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_can_be_imported(name: str) -> None:
    assert name in interakt_jobs.__all__
    assert getattr(interakt_jobs, name) is OPERATIONS[name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_an_example_that_the_sandbox_accepts(name: str, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    found = [item for item in [*document_items(), *further_items(picture)] if item.operation == name]
    assert found, "add one to examples/demo/plan.py"
    client = Client("http://sandbox.invalid/", Sandbox.key, proxies={}, uploads=Uploads(str(tmp_path)))
    app = App(Settings())
    for item in found:
        sent = client.prepare(name, complete(name, item.payload))
        headers = {"authorization": f"Basic {Sandbox.key}", "content-type": sent.content_type}
        route = OPERATIONS[name]
        path = f"/v1/public/{route.path}"
        reply = app.handle(Request(route.method, path, sent.query[1:], False, headers, sent, 1.0))
        assert 200 <= reply.status < 300, reply.body
    assert {operation for operation, *_ in app.calls.counts} == {name}
