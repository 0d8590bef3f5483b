"""Every operation has a place."""

from __future__ import annotations

from interakt_jobs.operations import OPERATIONS
from sandbox.routes import ROUTES as SANDBOX
from worker.interakt.routes import ROUTES


def test_every_operation_that_can_be_asked_for_has_a_route() -> None:
    assert set(ROUTES) == set(OPERATIONS)


def test_every_route_is_one_that_the_sandbox_answers_with_that_method() -> None:
    for route in ROUTES.values():
        assert SANDBOX[route.path].method == route.method


def test_only_the_documented_path_has_no_trailing_slash() -> None:
    assert {route.path for route in ROUTES.values() if not route.path.endswith("/")} == {
        "track/organization/templates"
    }
