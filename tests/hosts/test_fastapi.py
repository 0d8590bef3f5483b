"""A FastAPI app: everything from coroutines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.stack import Stack

from .host import Host


@pytest.fixture(scope="module")
def fastapi(host: Callable[..., Host]) -> Iterator[Host]:
    with host("fastapi_shop") as shop:
        words = f"-m uvicorn app:app --port {shop.port} --log-level warning"
        shop.start("web", str(shop.python), *words.split())
        shop.celery("shop_celery", "fastapi_shop")
        shop.until(lambda: shop.ask("/codes/none")[0] == 404, "server")
        yield shop


def test_codes_asked_for_at_once_are_sent_and_the_shops_own_task_is_told(
    fastapi: Host, worker: Stack
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fastapi.ask("/codes", phone="9999999999", wait=True), range(8)))
    assert {status for status, _ in answers} == {201}
    for _, answer in answers:
        assert answer["result"]["status"] == 201 and answer["result"]["id"]
        code = f"/codes/{answer['job']}"
        told = fastapi.until(
            lambda code=code: (found := fastapi.ask(code)[1])["message_state"] and found, "end"
        )
        assert (told["status"], told["message_state"]) == ("SUCCESS", "done")
        assert worker.sandbox.jobs()[told["job"]] == (1, 1)


def test_what_is_wrong_is_told_with_its_path(fastapi: Host) -> None:
    assert fastapi.ask("/codes/ij1.default.0123")[0] == 404
