"""STOP and START as people write them; and buttons, on which the business's own words stand."""

from __future__ import annotations

import pytest

from config.settings import load
from schemas.event import Button, Event
from worker.webhooks.keywords import Keywords

KEYWORDS = Keywords(load({"INTERAKT_API_KEY": "placeholder-key-0000"}))


def asks(text: str) -> str:
    return KEYWORDS.asks(Event("inbound", content="text", text=text))


def tapped(title: str, own_id: str = "") -> str:
    return KEYWORDS.asks(Event("inbound", content="button_reply", button=Button(text=title, id=own_id)))


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "Stop.", "stop!!!", "*STOP*", "S.T.O.P", "Stop. Thank you", "please stop",
        "Stop now, please.", "No thanks. Stop", "stop stop STOP", "STOPALL", "Stop all", "opt-out",
        "OPT OUT", "Opt_Out", "Unsub", "unsubscribe me", "REVOKE", "cancel", "End", "stop messages",
        "Stop sending me messages", "\u200eSTOP", "\u202aStop\u202c", "ST\u00adOP",
        "\uff33\uff34\uff2f\uff30", "STOP \U0001f64f\ufe0f", "\u26d4\ufe0f stop", "\u201cStop\u201d",
        "stop\n\nthanks", "बंद करें", "बंद करो।", "कृपया बंद करें", "PARAR", "¡Baja!", "Alto, por favor",
        "tolong berhenti",
    ],
)  # fmt: skip
def test_a_stop_is_heard_however_it_is_written(text: str) -> None:
    assert asks(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "cancel my order", "We have got to stop this bill", "Don't stop", "Where is the bus stop?",
        "end of month", "thank you", "please", "", "\u200e", "!!!", "stop 5",
        "I will cancel and come again", "quitting", "unstoppable", "stop " * 100, "बाद में करें",
    ],
)  # fmt: skip
def test_a_sentence_with_such_a_word_is_no_stop(text: str) -> None:
    assert asks(text) == ""


@pytest.mark.parametrize("text", ["START", "start please", "\u200eunstop", "Opt-in", "शुरू करो"])
def test_a_start_is_heard(text: str) -> None:
    assert asks(text) == "start"


@pytest.mark.parametrize(
    ("title", "own_id", "meaning"),
    [
        ("Cancel", "order-7-cancel", ""),
        ("Cancel", "cancel", ""),
        ("End", "", ""),
        ("Quit", "quit", ""),
        ("Start", "menu-start", ""),
        ("Yes", "yes", ""),
        ("Stop promotions", "", "stop"),
        ("STOP", "b2", "stop"),
        ("Fewer messages", "opt-out", "stop"),
        ("Unsubscribe", "Unsubscribe", "stop"),
        ("Subscribe", "", "start"),
    ],
)
def test_a_button_opts_out_only_when_it_was_sent_as_one(title: str, own_id: str, meaning: str) -> None:
    assert tapped(title, own_id) == meaning


def test_words_and_buttons_are_the_settings() -> None:
    own = Keywords(
        load(
            {
                "INTERAKT_API_KEY": "placeholder-key-0000",
                "INTERAKT_STOP_WORDS": "Genug, Schluss",
                "INTERAKT_STOP_BUTTONS": "stop-promo",
            }
        )
    )
    assert own.asks(Event("inbound", text="genug!")) == "stop"
    assert own.asks(Event("inbound", text="stop")) == ""
    assert own.asks(Event("inbound", button=Button(text="Weniger", id="stop_promo"))) == "stop"
    assert own.asks(Event("inbound", button=Button(text="Stop promotions"))) == ""
