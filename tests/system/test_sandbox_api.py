"""The sandbox answers as the document and the facts say: every example, and every refusal."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

import pytest

from sandbox.control import Sandbox
from sandbox.stack import ROOT

DOCUMENT = ROOT / "examples" / "One_Key_CRM_API.md"
Json = dict[str, Any]


def call(
    sandbox: Sandbox,
    path: str,
    body: Any = None,
    *,
    method: str = "POST",
    authorization: str | None = None,
    raw: bytes | None = None,
    content_type: str = "application/json",
) -> tuple[int, Any]:
    """Status, and the JSON (or the text of another type) of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    headers = {"Authorization": authorization or f"Basic {sandbox.key}", "Content-Type": content_type}
    connection.request(method, f"/v1/public/{path}", data, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if "json" in str(answer.headers["Content-Type"]) else text


def examples() -> list[Any]:
    """Title, path and payload of each request in the document."""
    found, path, title = [], "", ""
    pattern = r"^##+ ([^\n]*)|\*\*Endpoint\*\*: `https://[^/]*/v1/public/([^`]*)`|\*\*Payload\*\*:\s*```json(.*?)```"
    for match in re.finditer(pattern, DOCUMENT.read_text(), re.S | re.M):
        heading, endpoint, payload = match.groups()
        if heading is not None:
            title = heading
        elif endpoint is not None:
            path = endpoint
        elif "userPhoneNumber" not in payload:
            found.append(pytest.param(path, json.loads(payload), id=title))
    return found


EXAMPLES = examples()
TEMPLATE = {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]}
SEND = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Template", "template": TEMPLATE}
TEXT = {"countryCode": "+91", "phoneNumber": "9999999999", "type": "Text", "data": {"message": "Hi"}}
STRANGER = {"phoneNumber": "9999999998"}


def test_the_document_has_24_requests() -> None:
    assert len(EXAMPLES) == 24


@pytest.mark.parametrize(("path", "payload"), EXAMPLES)
def test_every_example_of_the_document_is_accepted_as_written(
    sandbox: Sandbox, path: str, payload: Json
) -> None:
    status, answer = call(sandbox, path, payload)
    assert status in (200, 201, 202), answer
    assert answer["result"] is True
    (recorded,) = sandbox.calls(bodies=True)
    assert recorded["body"] == payload
    assert (recorded["accepted"], recorded["status"]) == (True, status)
    assert recorded["operation"] != "unknown"


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        (
            "track/users/",
            {"phoneNumber": "9999999999"},
            202,
            r"Customer with [0-9a-f-]{36} updated successfully",
        ),
        ("track/events/", {"userId": "u", "event": "Order Placed"}, 201, "Event created successfully"),
        ("message/", SEND, 201, "Message queued for sending via Interakt. Check webhook for delivery status"),
        ("message/", TEXT, 201, "Message queued for sending via Interakt.*"),
        (
            "assignment/",
            {"user_phone_number": "919999999999", "agent_email": "agent@example.com"},
            200,
            "Chat Assigned Successfully",
        ),
    ],
)
def test_answers_have_the_real_status_and_words(
    sandbox: Sandbox, path: str, body: Json, status: int, expected: str
) -> None:
    got, answer = call(sandbox, path, body)
    assert got == status
    assert re.fullmatch(expected, answer["message"])
    assert ("id" in answer) == (path in ("track/events/", "message/"))


def _with(body: Json, **changes: Any) -> Json:
    return {**body, **changes}


def _template(**changes: Any) -> Json:
    return {**SEND, "template": {**TEMPLATE, **changes}}


REFUSALS = {
    "a malformed number": (_with(SEND, phoneNumber="12"), "Phone Number & Country Code provided is invalid"),
    "a leading zero": (
        _with(SEND, phoneNumber="09999999999"),
        "Phone Number & Country Code provided is inv.*",
    ),
    "an Indian landline": (
        _with(SEND, phoneNumber="2222222222"),
        "Phone Number & Country Code provided is inv.*",
    ),
    "a plus in the full number": (_with(SEND, fullPhoneNumber="+919999999999"), "Phone Number & Country.*"),
    "the number before the template": (
        _with(_template(name="x"), phoneNumber="1"),
        "Phone Number & Country.*",
    ),
    "an unknown customer": (
        _with(TEXT, **STRANGER),
        "Please correct the following error - Customer is not available for the organization",
    ),
    "an unknown template": (
        _template(name="nowhere"),
        "Please correct the following error - No approved template found with name 'nowhere' and language "
        "'en'. Please re-sync on Interakt dashboard and try again",
    ),
    "another language": (_template(languageCode="en_US"), ".*name 'welcome_message' and language 'en_US'.*"),
    "another case": (
        _template(name="Welcome_Message"),
        ".*No approved template found with name 'Welcome_M.*",
    ),
    "too few values": (
        _template(bodyValues=[]),
        "Missing variable values for template's body, expected number of values are 1",
    ),
    "too many values": (_template(bodyValues=["a", "b"]), ".*expected number of values are 1"),
    "an empty value": (_template(bodyValues=[""]), ".*cannot be empty or null"),
    "a null value": (_template(bodyValues=[None]), ".*cannot be empty or null"),
    "a value of two lines": (_template(bodyValues=["a\nb"]), "Param text cannot have new-line/tab.*"),
    "a value with four spaces": (_template(bodyValues=["a    b"]), "Param text cannot have new-line/tab.*"),
    "no media": (
        _template(name="invoice_delivery"),
        "Media Url is missing for header's document",
    ),
    "no button value": (
        _template(name="auth_one_tap_code"),
        "Missing variable values for template's button at index 0, expected number of values are 1",
    ),
    "no card": (_template(name="product_carousel"), "Missing carousel cards for template.*"),
    "no order": (_template(name="order_status_update"), "Missing order_status for template.*"),
    "another category": (
        _with(SEND, template_category="marketing"),
        "Message not sent. Template category mismatch: Expected 'marketing', but received 'UTILITY'. "
        "Please update the request to match the approved template category.",
    ),
    "a long callbackData": (_with(SEND, callbackData="x" * 513), "callbackData must be.*512 characters"),
    "an unknown type": (_with(TEXT, type="Fax"), ".*not a valid choice.*"),
    "four buttons": (
        _with(
            TEXT,
            type="InteractiveButton",
            data={
                "body": {"text": "?"},
                "action": {
                    "buttons": [{"type": "reply", "reply": {"id": str(n), "title": "t"}} for n in range(4)]
                },
            },
        ),
        "Interactive message must have 1 to 3 buttons",
    ),
    "eleven rows": (
        _with(
            TEXT,
            type="InteractiveList",
            data={
                "body": {"text": "?"},
                "action": {
                    "button": "View",
                    "sections": [{"title": "s", "rows": [{"id": str(n), "title": "t"} for n in range(11)]}],
                },
            },
        ),
        "Interactive list must have 1 to 10 rows",
    ),
    "no media URL": (_with(TEXT, type="Image", data={"message": "x"}), "Media Url is missing or invalid"),
}


@pytest.mark.parametrize(("body", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_a_message_is_refused_with_400_for(sandbox: Sandbox, body: Json, expected: str) -> None:
    status, answer = call(sandbox, "message/", body)
    assert (status, answer["result"]) == (400, False)
    assert re.fullmatch(expected, answer["message"]), answer["message"]
    assert sandbox.calls()[0]["accepted"] is False


@pytest.mark.parametrize(
    "authorization",
    ["Bearer c2FuZGJveC10b2tlbjo=", "Basic plain", "Basic Og==", "Basic dXNlcjpwYXNz", "Basic", "nonsense"],
)
def test_another_authorization_than_a_key_gets_401(sandbox: Sandbox, authorization: str) -> None:
    status, answer = call(sandbox, "message/", SEND, authorization=authorization)
    assert (status, answer) == (401, {"result": False, "message": "Invalid token provided"})


@pytest.mark.parametrize("path", ["message", "track/users", "track/organization/templates/", "nowhere/", ""])
def test_an_unknown_path_or_a_wrong_slash_gets_a_page_of_html(sandbox: Sandbox, path: str) -> None:
    status, text = call(sandbox, path, SEND)
    assert status == 404
    assert "<h1>Not Found</h1>" in text


def test_the_wrong_method_gets_the_generic_500(sandbox: Sandbox) -> None:
    status, answer = call(sandbox, "track/templates/", method="GET")
    assert (status, answer) == (500, {"result": False, "message": "Error processing the request."})


def test_bytes_that_are_no_json_get_a_400(sandbox: Sandbox) -> None:
    assert call(sandbox, "message/", raw=b"{nonsense")[0] == 400
    assert call(sandbox, "message/", raw=b"[1]")[0] == 400


def test_a_customer_may_be_written_to_for_24_hours_after_writing(sandbox: Sandbox) -> None:
    stranger = _with(TEXT, **STRANGER)
    call(sandbox, "track/users/", STRANGER)
    status, answer = call(sandbox, "message/", stranger)
    assert status == 400
    assert answer["message"].endswith("Customer has not messaged within last 24 hours")
    sandbox.inbound(phone="9999999998", text="Hello")
    assert call(sandbox, "message/", stranger)[0] == 201


def test_a_template_goes_to_strangers_too(sandbox: Sandbox) -> None:
    assert call(sandbox, "message/", _with(SEND, **STRANGER))[0] == 201


def test_both_forms_of_an_address_and_of_buttons_are_understood(sandbox: Sandbox) -> None:
    action = {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Ok"}}]}
    current = {"message": {"type": "button", "body": {"text": "?"}, "action": action}}
    body = {"fullPhoneNumber": "919999999999", "type": "InteractiveButton", "data": current}
    assert call(sandbox, "message/", body)[0] == 201
    assert call(sandbox, "message/", _with(SEND, countryCode="91"))[0] == 201


def test_a_created_template_waits_until_it_is_approved(sandbox: Sandbox) -> None:
    body = {"display_name": "NEWS", "language": "English", "category": "Marketing", "body": "Hi {{1}}"}
    assert call(sandbox, "track/templates/", body)[0] == 400, "the sample value is missing"
    status, answer = call(sandbox, "track/templates/", _with(body, body_text=["User"]))
    assert (status, answer["data"]["approval_status"]) == (201, "WAITING")
    name = answer["data"]["name"]
    assert call(sandbox, "message/", _template(name=name))[0] == 400
    sandbox.templates(name=name, status="APPROVED")
    assert call(sandbox, "message/", _template(name=name))[0] == 201
    sandbox.templates(name=name, status="PAUSED")
    assert call(sandbox, "message/", _template(name=name))[0] == 400


def test_the_template_list_has_pages_and_filters(sandbox: Sandbox) -> None:
    path = "track/organization/templates"
    status, first = call(sandbox, f"{path}?offset=0&limit=4", method="GET")
    assert (status, first["count"], first["has_next"]) == (200, 7, True)
    _, last = call(sandbox, f"{path}?offset=4&limit=4", method="GET")
    names = [row["name"] for page in (first, last) for row in page["results"]["templates"]]
    assert (len(set(names)), last["has_next"]) == (7, False)
    _, one = call(sandbox, f"{path}?template_name=auth_one_tap_code", method="GET")
    (row,) = one["results"]["templates"]
    assert row["category"] == "AUTHENTICATION"
    assert json.loads(row["buttons"])[0]["type"] == "URL"
    assert call(sandbox, f"{path}?approval_status=WAITING", method="GET")[1]["count"] == 0


def test_a_campaign_needs_its_template_and_the_same_name_makes_a_second_one(sandbox: Sandbox) -> None:
    body = {
        "campaign_name": "Diwali",
        "campaign_type": "PublicAPI",
        "template_name": "diwali_offer",
        "language_code": "en",
    }
    (first, one), (second, two) = (call(sandbox, "create-campaign/", body) for _ in range(2))
    assert (first, second) == (201, 201)
    assert one["data"]["campaignId"] != two["data"]["campaignId"]
    sandbox.settings(refuse_duplicates=True)
    assert call(sandbox, "create-campaign/", body)[0] == 400
    sandbox.settings(refuse_duplicates=False)
    assert call(sandbox, "create-campaign/", _with(body, template_name="nowhere"))[0] == 400


def test_customers_are_found_by_filters_phone_and_id(sandbox: Sandbox) -> None:
    for number in range(5):
        body = {"phoneNumber": f"999999990{number}", "userId": f"u{number}", "traits": {"points": number}}
        call(sandbox, "track/users/", body)
    filters = [
        {"trait": "points", "op": "gte", "val": 3},
        {"trait": "points", "op": "eq", "val": 0, "supr_op": "or"},
    ]
    _, page = call(sandbox, "apis/users/?offset=0&limit=2", {"filters": filters})
    assert (page["data"]["total_customers"], page["data"]["has_next_page"]) == (3, True)
    _, by_phone = call(sandbox, "apis/users/phone_number/9999999903", method="GET")
    _, by_id = call(sandbox, "apis/users/id/u3", method="GET")
    assert by_phone["data"]["customers"] == by_id["data"]["customers"]
    assert by_id["data"]["customers"][0]["traits"] == {"points": 3}
    recent = {"trait": "created_at_utc", "op": "gt", "val": "2024-01-01T00:00:00.000Z"}
    assert call(sandbox, "apis/users/", {"filters": [recent]})[1]["data"]["total_customers"] == 6


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("?limit=101", {}),
        ("?offset=-1", {}),
        ("", {"op": "near"}),
        ("", {"supr_op": "xor"}),
        ("", {"trait": "created_at_utc", "val": "2024-01-01T00:00:00+05:30"}),
    ],
)
def test_a_wrong_search_gets_400(sandbox: Sandbox, query: str, given: Json) -> None:
    filters = [{"trait": "name", "op": "eq", "val": "x", **given}]
    assert call(sandbox, f"apis/users/{query}", {"filters": filters})[0] == 400


def test_tracking_adds_tags_replaces_traits_and_keeps_user_ids_apart(sandbox: Sandbox) -> None:
    call(sandbox, "track/users/", {"userId": "u1", "traits": {"a": 1, "b": 1}, "tags": ["x"]})
    call(sandbox, "track/users/", {"userId": "u1", "traits": {"b": 2}, "tags": ["x", "y"]})
    _, found = call(sandbox, "apis/users/id/u1", method="GET")
    (customer,) = found["data"]["customers"]
    assert (customer["traits"], customer["tags"]) == ({"a": 1, "b": 2}, ["x", "y"])
    call(sandbox, "track/users/", {"userId": "u2", "phoneNumber": "9999999998"})
    assert call(sandbox, "track/users/", {"userId": "u2", "phoneNumber": "9999999997"})[0] == 400
    assert call(sandbox, "track/users/", {"traits": {}})[0] == 400


def test_the_same_agent_twice_is_refused_as_interakt_does(sandbox: Sandbox) -> None:
    body = {"userId": "user-unique-id", "agentId": "agent-id-123"}
    assert call(sandbox, "chat/assign/", body)[0] == 200
    status, answer = call(sandbox, "chat/assign/", body)
    assert (status, answer["message"]) == (400, "['Chat is already assigned to same agent']")
    assert call(sandbox, "chat/assign/", {"userId": "nobody", "agentId": "a"})[0] == 400


def test_an_upload_gives_a_handle(sandbox: Sandbox) -> None:
    raw = (
        b'--xx\r\nContent-Disposition: form-data; name="uploadFile"; filename="offer.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8bytes\r\n--xx--\r\n"
    )
    path = "track/files/upload_to_fb/?fileCategory=message_template_media"
    status, answer = call(sandbox, path, raw=raw, content_type="multipart/form-data; boundary=xx")
    assert (status, answer["data"]["file_name"]) == (200, "offer.jpg")
    assert answer["data"]["file_handle"]
    assert call(sandbox, path, {"x": 1})[0] == 400
    assert [row["operation"] for row in sandbox.calls()] == ["upload_template_media"] * 2


def test_each_key_is_an_account_of_its_own(sandbox: Sandbox) -> None:
    other = sandbox.key_for("brand-b")
    call(sandbox, "track/users/", {"userId": "u1"})
    _, found = call(sandbox, "apis/users/id/u1", method="GET", authorization=f"Basic {other}")
    assert found["data"]["customers"] == []
    labels = [row["account"] for row in sandbox.calls()]
    assert labels == [sandbox.account(), sandbox.account(other)]
    assert other not in json.dumps(sandbox.calls(bodies=True))


def test_the_job_id_is_read_from_callback_data(sandbox: Sandbox) -> None:
    for callback in ("ij1.default.0a|theirs", "ij1.default.0a|theirs", "ij1.default.0b"):
        call(sandbox, "message/", _with(SEND, callbackData=callback))
    call(sandbox, "message/", _with(SEND, callbackData="ij1.default.0c", phoneNumber="1"))
    assert sandbox.jobs() == {
        "ij1.default.0a": (2, 2),
        "ij1.default.0b": (1, 1),
        "ij1.default.0c": (0, 1),
    }
    assert sandbox.summary()["accepted_more_than_once"] == ["ij1.default.0a"]
    assert [row.accepted for row in sandbox.arrivals()] == [True, True, True, False]
    ids = [row["id"] for row in sandbox.calls()]
    assert len(set(ids[:3])) == 3
    assert ids[3] is None


def test_authentication_templates_are_recorded_by_their_own_name(sandbox: Sandbox) -> None:
    call(
        sandbox,
        "message/",
        _template(name="auth_one_tap_code", buttonValues={"0": ["1234"]}, bodyValues=["1234"]),
    )
    call(sandbox, "message/", SEND)
    assert [row["operation"] for row in sandbox.calls()] == ["send_auth_template", "send_template"]


def test_many_requests_on_one_connection_are_answered_in_order(sandbox: Sandbox) -> None:
    import socket

    body = json.dumps(SEND).encode()
    head = f"POST /v1/public/message/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {sandbox.key}\r\n"
    plain = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    last = plain.replace(b"Host: x", b"Host: x\r\nConnection: close")
    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as sock:
        for byte in plain:
            sock.sendall(bytes((byte,)))
        sock.sendall(plain + chunked + last)
        received = b""
        while data := sock.recv(65_536):
            received += data
    assert received.count(b"HTTP/1.1 201 Created") == 4
    assert received.count(b"Connection: close") == 1


@pytest.mark.parametrize(
    "raw", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"x" * 70_000]
)
def test_bytes_that_are_no_http_get_an_answer_and_a_close(sandbox: Sandbox, raw: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as sock:
        sock.sendall(raw)
        assert sock.recv(1000).startswith(b"HTTP/1.1 4")
