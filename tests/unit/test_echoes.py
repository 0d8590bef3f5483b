"""What Interakt's words repeat of a request is hidden, however it is spelled."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from examples.document import examples
from tests.unit.raw_server import RawServer, answer
from worker.interakt.client import Client
from worker.interakt.echoes import API_WORDS, values_of, without
from worker.interakt.errors import InteraktError

TOKEN = "sandbox-token-4242"
KEY = base64.b64encode(f"{TOKEN}:".encode()).decode()
SECRET = {
    "phone": "+919999999999", "code": "4821", "name": "Asha", "who": "अमित", "mail": "asha.k+shop@example.com",
    "order": "ORD-77/12", "city": "Łódź-Śródmieście", "note": 'He said "no" & left', "total": 1499, "price": 12.75,
    "short": "王小明", "long": "Dear Asha, the parcel of Tuesday waits at our shop in the old town for one more week.",
}  # fmt: skip
PAYLOAD: dict[str, Any] = {
    "countryCode": "+91",
    "phoneNumber": "9999999999",
    "type": "Template",
    "callbackData": "ij1.default.0192f3a4b5c6d7e8f901234567890123|cart-51",
    "template": {
        "name": "order_update",
        "languageCode": "en",
        "bodyValues": [],
        "buttonValues": {"0": ["4821"]},
    },
    "traits": SECRET,
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "without the plus": lambda text: text.replace("+", ""),
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in a URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "in JSON": lambda text: json.dumps(text),
    "in JSON as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "in HTML": html.escape,
    "as Python shows it": lambda text: ascii(text),
    "over two lines": lambda text: text.replace(" ", "\n  "),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", SECRET)
def test_a_value_is_hidden_in_every_spelling(name: str, spelling: str) -> None:
    value = str(SECRET[name])
    echoed = SPELLINGS[spelling](value)
    told = without(f"the value {echoed} is not allowed here", values_of(PAYLOAD))
    assert told == "the value [hidden] is not allowed here".replace(
        "[hidden]", told[10 : -len(" is not allowed here")]
    )
    left = told[10 : -len(" is not allowed here")]
    assert left.strip("\"'\\+") == "[hidden]"


def refusal(message: str, operation: str = "send_text", payload: Any = None, status: int = 400) -> str:
    """All that an error tells, in lower case, when Interakt says ``message``."""
    body = json.dumps({"result": False, "message": message}).encode()
    with RawServer(lambda sock, _: sock.sendall(answer(status, body))) as server:
        client = Client(server.url, KEY, proxies={})
        with pytest.raises(InteraktError) as error:
            client.call(operation, payload or {"phoneNumber": "9999999999"})
    return f"{error.value} {error.value!r}".lower()


@pytest.mark.parametrize("example", [one for one in examples() if one.payload], ids=lambda one: one.section)
def test_of_a_payload_that_is_repeated_whole_nothing_stays(example: Any) -> None:
    payload = example.payload
    for text in (
        json.dumps(payload),
        json.dumps(payload, ensure_ascii=False),
        str(payload),
        quote(json.dumps(payload)),
    ):
        told = refusal(f"cannot read {text}", example.operation, payload)
        for value in values_of(payload):
            if len(value) > 3 and value.lower() not in API_WORDS:
                assert value.lower() not in told


@pytest.mark.parametrize(
    "form", [KEY, TOKEN, f"Basic {KEY}", TOKEN.upper(), quote(KEY, safe=""), f"{TOKEN}:"]
)
@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_the_key_is_in_no_word_of_interakts(form: str, status: int) -> None:
    told = refusal(f"the key {form} is unknown", status=status)
    assert TOKEN not in told
    assert KEY.lower().strip("=") not in told
    assert "is unknown" in told


def test_a_cut_or_embedded_part_of_a_long_value_is_hidden_too() -> None:
    long = SECRET["long"]
    assert isinstance(long, str)
    assert without(f"too long: {long[:40]}...", [long]) == "too long: [hidden]..."
    assert without(f"line 1 of '{long[12:60]}'", [long]) == "line 1 of '[hidden]'"
    message = "Hi Asha, 482193 is your code. Questions? help@example.com"
    assert (
        without("the code 482193 was used before", values_of({"message": message}))
        == "the code [hidden] was used before"
    )
    assert without("no mail to help@example.com", values_of({"message": message})) == "no mail to [hidden]"


@pytest.mark.parametrize(
    "text",
    [
        "no approved template found with the name and language",
        "Annual plan: the planner has 14821 rows",
        "message: Your message is too long, 4097 of 4096",
        "100% of & more \\ less",
    ],
)
def test_what_only_looks_like_a_value_stays_as_it_was(text: str) -> None:
    assert (
        without(text, ["Ann", "4821", "lan", "en", "Your parcel is late", "text", "Template", "", " "])
        == text
    )


def test_what_an_error_means_is_decided_before() -> None:
    words = "insufficient wallet balance, recharge now"
    told = refusal(words, payload={"phoneNumber": "9999999999", "data": {"message": words}})
    assert told == "400: [hidden] refused('[hidden]', 400, 'account', none)"


PRINTED = st.characters(exclude_categories=["C"])  # what cannot be printed is compared as a space


@given(st.text(PRINTED, min_size=6, max_size=80), st.text(max_size=60), st.text(max_size=60))
def test_whatever_the_value_is_it_is_not_in_what_is_told(value: str, before: str, after: str) -> None:
    sought = "".join(value.split()).replace("+", "")
    assume(
        len(sought) > 5 and sought.lower() not in API_WORDS and sought not in f"{before}\0{after}\0[hidden]"
    )
    assert sought not in "".join(without(f"{before} {value} {after}", [value]).split()).replace("+", "")


def test_a_payload_of_any_size_costs_no_more_than_its_size() -> None:
    """Each of 20,000 values is looked for in a text that is bounded: minutes if the text were not."""
    values = [f"value number {n}" for n in range(20_000)]
    assert without("x" * 1_000_000 + values[7], values)[:10] == "x" * 10


def test_marks_without_end_cost_no_more_than_their_number() -> None:
    marks = "\u0315\u0300" * 500_000
    assert without("the value of Asha is wrong", [marks, "Asha"]) == "the value of [hidden] is wrong"


@pytest.mark.parametrize("escape", ["%1B%5B2J", "\\u001b[2J", "\\x1b[2J", "&#27;[2J", "\x1b[2J"])
def test_what_is_left_has_no_control_character(escape: str) -> None:
    assert without(f"{escape} Asha is wrong", ["Asha"]) == "[2J [hidden] is wrong"
