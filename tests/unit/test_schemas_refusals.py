"""What is refused, where, and in which words; and what only warns."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

import schemas
from examples.document import examples
from schemas import phones

BY_SECTION = {one.section: one for one in examples()}
NUMBER = "9999999999"


def changed(section: str, path: str, value: Any) -> tuple[str, dict[str, Any]]:
    """An example with the value at ``path`` replaced; ``del`` removes it."""
    example = BY_SECTION[section]
    payload = copy.deepcopy(example.payload)
    steps: list[Any] = [
        int(one) if one.isdecimal() else one for one in re.split(r"[.\[\]]+", path.rstrip("]"))
    ]
    at: Any = payload
    for step in steps[:-1]:
        at = at[step] if isinstance(at, list) else at[str(step)]
    last = steps[-1] if isinstance(at, list) else str(steps[-1])
    if value == "del":
        del at[last]
    else:
        at[last] = value
    return example.operation, payload


def refusal(operation: str, payload: Any, **options: Any) -> dict[str, str]:
    with pytest.raises(schemas.Invalid) as found:
        schemas.check(operation, payload, **options)
    assert NUMBER not in str(found.value)
    return found.value.errors


LIST_ROWS = [{"id": f"r{n}", "title": "t"} for n in range(6)]
REPLY = {"type": "reply", "reply": {"id": "a", "title": "A"}}
SUGGESTION = {"reply": {"plainText": "Yes"}}
CONTENT = "message.richCardDetails.standalone.content"

REFUSED: list[tuple[str, str, Any, str, str]] = [
    # section, path that is changed, new value, path of the error, words in it
    ("1.1", "traits.email", {"a": 1}, "traits.email", "list of these"),
    ("1.1", "traits.email", [[1]], "traits.email", "list of these"),
    ("1.1", "traits.age", float("nan"), "traits.age", "finite"),
    ("1.1", "traits.age", 10**400, "traits.age", "64 bits"),
    ("1.1", "tags", ["a"] * 1001, "tags", "has 1001 entries, at most 1000"),
    ("1.1", "traits.seen", list(range(1001)), "traits.seen", "has 1001 entries, at most 1000"),
    ("1.1", "traits", {f"t{n}": n for n in range(1001)}, "traits", "has 1001 entries, at most 1000"),
    ("1.1", "traits", [], "traits", "must be an object, not a list"),
    ("1.1", "tags", "new", "tags", "must be a list, not text"),
    ("1.1", "tags[0]", 5, "tags[0]", "must be text, not a number"),
    ("1.1", "tags[1]", "", "tags[1]", "must not be empty"),
    ("1.1", "add_to_sales_cycle", "true", "add_to_sales_cycle", "must be true or false, not text"),
    ("1.1", "createdAt", "2024-01-01T" + "0" * 200_000, "createdAt", "has 200011 characters, at most 64"),
    (
        "2.1",
        "data.mediaUrl",
        "http://" + "b" * 180_000 + " ",
        "data.mediaUrl",
        "180008 characters, at most 4096",
    ),
    ("2.1", "data.fileName", "a" * 65_537, "data.fileName", "has 65537 characters, at most 65536"),
    ("3.1", "template.bodyValues[0]", " " * 9 + "a" * 200_000, "template.bodyValues[0]", "at most 65536"),
    ("1.1", "createdAt", "yesterday", "createdAt", "ISO 8601"),
    ("1.1", "createdAt", 1704067200, "createdAt", "must be text, not a number"),
    ("1.1", "phoneNumber", "del", "phoneNumber", "or userId"),
    ("1.2", "event", "del", "event", "is missing"),
    ("1.2", "event", None, "event", "must not be null"),
    ("1.2", "traits.a", {1: 2}, "traits.a", "keys that are text"),
    ("1.2", "traits.a", "\ud800", "traits.a", "lone surrogate"),
    ("2.1", "type", "Video", "type", 'must be "Image"'),
    ("2.1", "data", "x", "data", "must be an object, not text"),
    ("2.1", "data", "del", "data", "is missing"),
    ("2.1", "data.mediaUrl", "del", "data.mediaUrl", "is missing"),
    ("2.1", "data.mediaUrl", "ftp://example.com/a.jpg", "data.mediaUrl", "http:// or https://"),
    ("2.1", "data.mediaUrl", "https://example.com/a b.jpg", "data.mediaUrl", "without spaces"),
    ("2.1", "data.mediaUrl", "/etc/passwd", "data.mediaUrl", "http:// or https://"),
    ("2.1", "data.mediaURL", "x", "data.mediaURL", 'did you mean "mediaUrl"'),
    ("2.1", "callbackdata", "x", "callbackdata", 'did you mean "callbackData"'),
    ("2.1", "callbackData", "x" * 513, "callbackData", "has 513 characters, at most 512"),
    ("2.1", "campaignId", 5, "campaignId", "must be text, not a number"),
    ("2.2", "data.fileName", True, "data.fileName", "must be text, not true or false"),
    ("2.6", "data.body", "del", "data.body", "is missing"),
    ("2.6", "data.body.text", "", "data.body.text", "must not be empty"),
    ("2.6", "data.action.buttons", [], "data.action.buttons", "at least 1 item"),
    ("2.6", "data.action.buttons", [REPLY] * 4, "data.action.buttons", "has 4 items, at most 3"),
    ("2.6", "data.action.buttons[1].type", "url", "data.action.buttons[1].type", 'must be "reply"'),
    ("2.6", "data.action.buttons[1].reply.id", "del", "data.action.buttons[1].reply.id", "is missing"),
    ("2.6", "data.message", {}, "data.body", "belongs inside message"),
    ("2.7", "data.action.button", "x" * 21, "data.action.button", "has 21 characters, at most 20"),
    ("2.7", "data.action.sections[0].title", "x" * 25, "data.action.sections[0].title", "at most 24"),
    (
        "2.7",
        "data.action.sections[0].rows[0].title",
        "x" * 25,
        "data.action.sections[0].rows[0].title",
        "at most 24",
    ),
    (
        "2.7",
        "data.action.sections[0].rows[1].description",
        "x" * 73,
        "data.action.sections[0].rows[1].description",
        "at most 72",
    ),
    (
        "2.7",
        "data.action.sections[0].rows[1].id",
        "x" * 201,
        "data.action.sections[0].rows[1].id",
        "at most 200",
    ),
    ("2.7", "data.body.text", "x" * 1025, "data.body.text", "at most 1024"),
    ("2.7", "data.action.sections", [{"rows": LIST_ROWS}] * 2, "data.action.sections", "have 12 rows in all"),
    ("2.7", "data.action.sections", [], "data.action.sections", "at least 1 item"),
    ("2.7", "data.action.sections[0].rows", [], "data.action.sections[0].rows", "at least 1 item"),
    ("3.1", "template", "del", "template", "is missing"),
    ("3.1", "template.name", "", "template.name", "must not be empty"),
    ("3.1", "template.languageCode", "del", "template.languageCode", "is missing"),
    ("3.1", "template.bodyValues", "John", "template.bodyValues", "must be a list, not text"),
    ("3.1", "template.bodyValues[0]", 5, "template.bodyValues[0]", "must be text, not a number"),
    ("3.1", "template.bodyValues[0]", True, "template.bodyValues[0]", "must be text, not true or false"),
    ("3.1", "template.bodyValues[0]", None, "template.bodyValues[0]", "must not be null"),
    ("3.1", "template.bodyValues[0]", "", "template.bodyValues[0]", "must not be empty"),
    ("3.1", "template.bodyValues[0]", "   ", "template.bodyValues[0]", "must not be empty"),
    ("3.1", "template.bodyValues[0]", "a\nb", "template.bodyValues[0]", "must be one line"),
    ("3.1", "template.bodyValues[0]", "a\r\nb", "template.bodyValues[0]", "must be one line"),
    ("3.1", "template.bodyValues[0]", "a\u2028b", "template.bodyValues[0]", "must be one line"),
    ("3.1", "template.bodyValues[0]", "a\tb", "template.bodyValues[0]", "tab"),
    ("3.1", "template.bodyValues[0]", "a    b", "template.bodyValues[0]", "four or more spaces"),
    ("3.1", "template.bodyValues[0]", "a\x00b", "template.bodyValues[0]", "control character"),
    ("3.1", "template.bodyvalues", [], "template.bodyvalues", 'did you mean "bodyValues"'),
    (
        "3.1",
        "template_category",
        "sales",
        "template_category",
        '"utility" or "marketing" or "authentication"',
    ),
    (
        "3.1",
        "fallback",
        [{"channel": "fax", "content": {"message": "x"}}],
        "fallback[0].channel",
        'must be "sms"',
    ),
    ("3.1", "fallback", [{"channel": "sms", "content": {}}], "fallback[0].content.message", "is missing"),
    ("3.2", "template.headerValues[0]", "a\nb", "template.headerValues[0]", "must be one line"),
    ("3.3", "template.buttonValues.0[0]", "4321", "template.buttonValues.0[0]", "same code"),
    ("3.3", "template.buttonValues", {"1": ["1234"]}, "template.buttonValues", 'the code in "0"'),
    ("3.3", "template.buttonValues", {}, "template.buttonValues", 'the code in "0"'),
    ("3.3", "template.buttonValues", "del", "template.buttonValues", "is missing"),
    ("3.3", "template.buttonValues.0", [], "template.buttonValues.0", "at least 1 item"),
    ("3.3", "template.bodyValues", [], "template.bodyValues", "at least 1 item"),
    ("3.3", "template.bodyValues", "del", "template.bodyValues", "is missing"),
    ("3.4", "template.buttonValues", ["x"], "template.buttonValues", "must be an object, not a list"),
    ("3.4", "template.buttonValues.first", ["x"], "template.buttonValues.first", "button's position"),
    ("3.4", "template.buttonValues.1", "x", "template.buttonValues.1", "must be a list, not text"),
    ("3.4", "template.buttonValues.1[0]", "a\nb", "template.buttonValues.1[0]", "must be one line"),
    ("3.5", "template.carouselCards", [{}] * 11, "template.carouselCards", "has 11 items, at most 10"),
    ("3.5", "template.carouselCards", [], "template.carouselCards", "at least 1 item"),
    (
        "3.5",
        "template.carouselCards[0].bodyValues[0]",
        "",
        "template.carouselCards[0].bodyValues[0]",
        "empty",
    ),
    ("3.6", "template.order_status.reference_id", 5, "template.order_status.reference_id", "must be text"),
    ("3.6", "template.order_status.order.status", "del", "template.order_status.order.status", "is missing"),
    ("4.1", "display_name", "del", "display_name", "is missing"),
    ("4.1", "header_text", "del", "header", "the format is TEXT"),
    ("4.1", "header_text", 5, "header_text", "must be text or a list, not a number"),
    ("4.1", "header_text", [5], "header_text[0]", "must be text, not a number"),
    ("4.1", "body_text", [], "body_text", "has 0 samples, body has 1 variables"),
    ("4.1", "body_text", ["a", "b"], "body_text", "has 2 samples, body has 1 variables"),
    ("4.2", "header_handle", "x", "header_handle", "must be a list, not text"),
    ("4.2", "header_handle_file_url", "x", "header_handle_file_url", "http:// or https://"),
    (
        "4.3",
        "carousel_cards[0].card_index",
        "0",
        "carousel_cards[0].card_index",
        "must be a whole number, not text",
    ),
    ("4.3", "carousel_cards[0].card_index", True, "carousel_cards[0].card_index", "not true or false"),
    ("4.3", "carousel_cards[0].card_index", 0.0, "carousel_cards[0].card_index", "must be a whole number"),
    ("4.3", "carousel_cards[0].buttons[0].text", "del", "carousel_cards[0].buttons[0].text", "is missing"),
    ("4.4", "offset", -1, "offset", "at least 0"),
    ("4.4", "limit", "20", "limit", "must be a whole number, not text"),
    ("4.4", "approval_status", "OK", "approval_status", "APPROVED"),
    ("4.4", "variable_present", True, "variable_present", "must be text"),
    ("5.1", "campaign_type", "Broadcast", "campaign_type", 'must be "PublicAPI"'),
    ("5.1", "language_code", "del", "language_code", "is missing"),
    ("6.1", "filters", "del", "filters", "is missing"),
    ("6.1", "filters[0].op", "above", "filters[0].op", '"gt"'),
    ("6.1", "filters[0].val", "2024-01-01", "filters[0].val", "UTC"),
    ("6.1", "filters[0].val", "2024-01-01T00:00:00+05:30", "filters[0].val", "UTC"),
    ("6.1", "filters[0].val", 5, "filters[0].val", "UTC"),
    ("6.1", "filters[0].supr_op", "xor", "filters[0].supr_op", '"and" or "or"'),
    ("6.1", "limit", 101, "limit", "at most 100"),
    ("7.1", "message", "del", "message", "is missing"),
    ("7.1", "template", {"name": "a", "languageCode": "en"}, "template", "does not belong beside message"),
    ("7.1", "type", "Template", "template", "is missing"),
    ("7.1", "type", "CAROUSEL", "type", '"Text" or "Template"'),
    ("7.1", "message.plainText", "", "message.plainText", "must not be empty"),
    (
        "7.2",
        "message.richCardDetails.carousel.cardWidth",
        "BIG",
        "message.richCardDetails.carousel.cardWidth",
        '"SMALL_WIDTH" or "MEDIUM_WIDTH"',
    ),
    ("7.3", f"{CONTENT}.cardTitle", "del", f"{CONTENT}.cardTitle", "is missing"),
    ("7.3", f"{CONTENT}.suggestions", [SUGGESTION] * 5, f"{CONTENT}.suggestions", "has 5 items, at most 4"),
    (
        "7.3",
        f"{CONTENT}.cardMedia.contentInfo.fileUrl",
        "x",
        f"{CONTENT}.cardMedia.contentInfo.fileUrl",
        "http",
    ),
    ("8.1", "agentId", "", "agentId", "must not be empty"),
    ("8.1", "user_id", "x", "user_id", 'did you mean "userId"'),
]


@pytest.mark.parametrize(("section", "path", "value", "where", "words"), REFUSED)
def test_what_is_wrong_is_refused_by_its_path(
    section: str, path: str, value: Any, where: str, words: str
) -> None:
    operation, payload = changed(section, path, value)
    errors = refusal(operation, payload)
    assert where in errors, errors
    assert words in errors[where]


PHONES: list[tuple[dict[str, Any], str, str]] = [
    ({"countryCode": "+91", "phoneNumber": "09999999999"}, "phoneNumber", "must not begin with 0"),
    ({"countryCode": "+91", "phoneNumber": "919999999999"}, "phoneNumber", "repeats the country code"),
    ({"countryCode": "+1", "phoneNumber": "12125550123"}, "phoneNumber", "repeats the country code"),
    ({"countryCode": "+91", "phoneNumber": "+919999999999"}, "phoneNumber", "belongs in countryCode"),
    ({"countryCode": "+91", "phoneNumber": "99999 99999"}, "phoneNumber", "digits only"),
    ({"countryCode": "+91", "phoneNumber": "٩٩٩٩٩٩٩٩٩٩"}, "phoneNumber", "digits only"),
    ({"countryCode": "+91", "phoneNumber": "9999999999\n"}, "phoneNumber", "digits only"),
    ({"countryCode": "+91", "phoneNumber": "999"}, "phoneNumber", "3 digits"),
    ({"countryCode": "+91", "phoneNumber": "99999999999999"}, "phoneNumber", "no possible number"),
    ({"countryCode": "+91", "phoneNumber": "9" * 40}, "phoneNumber", "at most 15"),
    ({"countryCode": "+91", "phoneNumber": 9999999999}, "phoneNumber", "must be text, not a number"),
    ({"countryCode": "+91", "phoneNumber": None}, "phoneNumber", "must not be null"),
    ({"countryCode": "+91", "phoneNumber": ""}, "phoneNumber", "fullPhoneNumber"),
    ({"countryCode": "+91"}, "phoneNumber", "is missing"),
    ({"countryCode": "IN", "phoneNumber": NUMBER}, "countryCode", "calling code"),
    ({"countryCode": "+0", "phoneNumber": NUMBER}, "countryCode", "calling code"),
    ({"countryCode": "+999", "phoneNumber": NUMBER}, "countryCode", "of no country"),
    ({"countryCode": 91, "phoneNumber": NUMBER}, "countryCode", "must be text, not a number"),
    ({"fullPhoneNumber": "+919999999999"}, "fullPhoneNumber", "without a plus sign"),
    ({"fullPhoneNumber": "9999999999"}, "fullPhoneNumber", ""),
    ({"fullPhoneNumber": "0919999999999"}, "fullPhoneNumber", "must begin with a country code"),
    ({"fullPhoneNumber": "1"}, "fullPhoneNumber", ""),
    ({"fullPhoneNumber": "919999999998", "phoneNumber": NUMBER}, "fullPhoneNumber", "differs"),
]


@pytest.mark.parametrize(("address", "where", "words"), PHONES)
def test_an_impossible_phone_number_is_refused(address: dict[str, Any], where: str, words: str) -> None:
    errors = refusal("send_text", {**address, "data": {"message": "Hello"}})
    assert where in errors, errors
    assert words in errors[where]


@pytest.mark.parametrize(
    ("code", "phone", "digits"),
    [
        ("+91", "9999999999", "919999999999"),
        ("91", "9999999999", "919999999999"),
        (None, "9999999999", "919999999999"),
        ("+1", "2125550123", "12125550123"),
        ("+44", "7400123456", "447400123456"),
        ("+225", "0123456789", "2250123456789"),
        ("+39", "3123456789", "393123456789"),
    ],
)
def test_a_recipient_is_checked_by_itself(code: str | None, phone: str, digits: str) -> None:
    assert phones.read("+91" if code is None else code, phone) == digits


def test_a_bad_recipient_and_bad_values_are_named_by_path() -> None:
    with pytest.raises(phones.BadPhone) as found:
        phones.read("+91", "091")
    assert found.value.field == "phoneNumber"
    template = {"name": "n", "languageCode": "en", "bodyValues": ["a", "", 5, "a\nb"]}
    errors = refusal("send_template", {"phoneNumber": "9999999999", "template": template})
    assert list(errors) == [f"template.bodyValues[{index}]" for index in (1, 2, 3)]


@pytest.mark.parametrize("section", ["2.6", "2.7", "3.5", "7.2", "7.3"])
def test_unknown_keys_pass_at_every_level_when_allowed(section: str) -> None:
    operation, payload = BY_SECTION[section].operation, copy.deepcopy(BY_SECTION[section].payload)

    def add(value: Any) -> None:
        inside = list(value.values()) if isinstance(value, dict) else value
        if isinstance(value, dict) and not value.keys() <= {"0", "1"}:
            value["brandNew"] = {"a": [1]}
        for one in inside if isinstance(inside, list) else ():
            add(one)

    add(payload)
    assert any("brandNew" in path and "." in path for path in refusal(operation, payload))
    schemas.check(operation, payload, allow_unknown=True)


def test_what_is_known_stays_strict_when_unknown_keys_pass() -> None:
    operation, payload = changed("3.1", "template.bodyValues[0]", "")
    payload["brandNew"] = 1
    assert refusal(operation, payload, allow_unknown=True) == {"template.bodyValues[0]": "must not be empty"}


def test_all_mistakes_are_told_at_once() -> None:
    errors = refusal("send_image", {"phoneNumber": "1", "data": {"mediaUrl": 5, "x": 1}, "y": 1})
    assert errors.keys() == {"phoneNumber", "data.mediaUrl", "data.x", "y"}


@pytest.mark.parametrize("payload", [None, 5, "x", [], [{}], b"{}", {1: 2}, {None: 1, "a": 1}, {"\ud800": 1}])
def test_what_is_no_object_is_refused(payload: Any) -> None:
    for operation in schemas.OPERATIONS:
        assert refusal(operation, payload)


def test_no_text_of_an_error_repeats_a_number_or_a_value() -> None:
    payload = {
        "countryCode": "919999999999",
        "phoneNumber": "099999999990",
        "919999999999": "secret-value",
        "type": "secret-value",
        "template": {
            "name": 5,
            "bodyValues": ["secret-value\n"],
            "buttonValues": {"9999999999": ["secret-value"]},
        },
    }
    text = str(refusal("send_template", payload))
    assert "secret-value" not in text
    assert not re.search(r"\d{5}", text)


WARNED: list[tuple[str, str, Any, str, str]] = [
    ("2.1", "data.message", "x" * 1025, "data.message", "WhatsApp allows 1024"),
    ("2.1", "data.mediaUrl", "http://localhost/a.jpg", "data.mediaUrl", "not public"),
    ("2.1", "data.mediaUrl", "http://192.168.1.5/a.jpg", "data.mediaUrl", "not public"),
    (
        "2.6",
        "data.action.buttons[0].reply.title",
        "x" * 21,
        "data.action.buttons[0].reply.title",
        "WhatsApp allows 20",
    ),
    (
        "2.6",
        "data.action.buttons[1].reply.id",
        "x" * 257,
        "data.action.buttons[1].reply.id",
        "WhatsApp allows 256",
    ),
    ("2.6", "data.body.text", "x" * 1025, "data.body.text", "WhatsApp allows 1024"),
    ("2.7", "data.footer", {"text": "x" * 61}, "data.footer.text", "WhatsApp allows 60"),
    ("3.1", "template.bodyValues[0]", "a   b", "template.bodyValues[0]", "three spaces"),
    ("3.2", "template.headerValues[0]", "http://10.0.0.1/a.pdf", "template.headerValues[0]", "not public"),
    ("3.4", "template.buttonValues.1[0]", "x" * 129, "template.buttonValues.1[0]", "WhatsApp allows 128"),
    ("3.5", "template.carouselCards", [{}], "template.carouselCards", "WhatsApp wants 2 to 10"),
    (
        "3.5",
        "template.carouselCards",
        [{"buttonValues": {"0": ["a"]}}, {}],
        "template.carouselCards",
        "all cards need the same",
    ),
    ("4.1", "category", "Fun", "category", "none of the known words"),
    ("4.1", "footer", "x" * 61, "footer", "WhatsApp allows 60"),
    ("3.1", "fullPhoneNumber", "919999999999", "fullPhoneNumber", "not needed"),
]


@pytest.mark.parametrize(("section", "path", "value", "where", "words"), WARNED)
def test_a_limit_of_whatsapps_own_only_warns(
    section: str, path: str, value: Any, where: str, words: str
) -> None:
    found = schemas.check(*changed(section, path, value))
    assert any(one.startswith(f"{where}: ") and words in one for one in found), found


def test_a_number_that_is_possible_but_not_known_only_warns() -> None:
    found = schemas.check(
        "send_text", {"countryCode": "+1", "phoneNumber": "1112223333", "data": {"message": "x"}}
    )
    assert found == ["phoneNumber: is possible, but no number that its country has given out"]


def test_a_key_that_is_no_text_is_named_as_such() -> None:
    errors = refusal("send_text", {"phoneNumber": NUMBER, "data": {"message": "x", 5: 1}})
    assert errors == {"data.<a number>": "unknown key, a key must be text"}


def test_an_address_is_an_address_by_its_form() -> None:
    payload = {"user_phone_number": "91" + NUMBER}
    for good in ("a@b.co", "first.last+tag@mail.example.com", "अ@उदाहरण.भारत"):
        schemas.check("assign_chat_to_agent", {**payload, "agent_email": good})
    for bad in ("a@b", "a@.co", "a@b..co", "a@b.", "a b@c.co", "a@b@c.co", "@b.co", "a@" + "." * 250 + "@"):
        assert "e-mail" in refusal("assign_chat_to_agent", {**payload, "agent_email": bad})["agent_email"]
    long = {**payload, "agent_email": "a@" + "b." * 100_000}
    assert "at most 320" in refusal("assign_chat_to_agent", long)["agent_email"]


def texts_of(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_of(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_of(inner, f"{path}[{index}]")


@pytest.mark.parametrize("section", BY_SECTION)
@pytest.mark.parametrize("form", ["http://{} ", "{}@", "a@{}@", "{}\n", "{{{{{}", "{}.", "+{}-"])
def test_no_text_of_any_payload_holds_the_check_up(section: str, form: str) -> None:
    """A check that is quadratic would take minutes here; each is refused or taken at once."""
    for path in texts_of(BY_SECTION[section].payload):
        for pump in ("a", ".", " ", "@", "'\\", "9"):
            operation, payload = changed(section, path, form.format(pump * 60_000))
            try:
                told = str(schemas.check(operation, payload))
            except schemas.Invalid as error:
                told = str(error)
            assert pump * 30 not in told
