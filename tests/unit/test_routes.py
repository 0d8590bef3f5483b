"""Every operation has a place."""

from __future__ import annotations

from interakt_jobs.operations import OPERATIONS
from sandbox.routes import ROUTES as SANDBOX


def test_every_route_is_one_that_the_sandbox_answers_with_that_method() -> None:
    for operation in OPERATIONS.values():
        assert SANDBOX[operation.path].method == operation.method


def test_only_the_documented_path_has_no_trailing_slash() -> None:
    assert {operation.path for operation in OPERATIONS.values() if not operation.path.endswith("/")} == {
        "track/organization/templates"
    }
