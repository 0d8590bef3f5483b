"""The sandbox's webhooks: signed, in Interakt's shapes; late, doubled, shuffled, missing, forged if asked."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.control import ControlError, Sandbox
from tests.waiting import until

SECRET = "placeholder-secret"
Json = dict[str, Any]


class Receiver:
    """A webhook endpoint that keeps what came: (path, signature, raw body, time)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str | None, bytes, float]] = []
        self.status = 200
        self.pause = 0.0
        self.connections: set[Any] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.connections.add(self.client_address)
                time.sleep(receiver.pause)
                receiver.got.append((self.path, self.headers["Interakt-Signature"], raw, time.time()))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def payloads(self) -> list[Json]:
        return [json.loads(raw) for _, _, raw, _ in self.got]

    def types(self) -> list[str]:
        return [payload["type"] for payload in self.payloads()]

    def wait(self, many: int) -> list[Json]:
        until(lambda: len(self.got) >= many)
        return self.payloads()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def send(sandbox: Sandbox, path: str = "message/", **changes: Any) -> str:
    """The id of one accepted message."""
    template = {"name": "welcome_message", "languageCode": "en", "bodyValues": ["John"]}
    body = {"phoneNumber": "9999999999", "type": "Template", "template": template, **changes}
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    headers = {"Authorization": f"Basic {sandbox.key}"}
    connection.request("POST", f"/v1/public/{path}", json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return str(answer["id"])


def counts(sandbox: Sandbox) -> Json:
    found: Json = sandbox.webhooks()["webhooks"][0]["counts"]
    return found


def settled(sandbox: Sandbox) -> int:
    """How many webhooks failed or were lost."""
    got = counts(sandbox)
    return int(got.get("failed", 0) + got.get("lost_while_disabled", 0))


def test_a_message_is_followed_by_its_signed_statuses(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=f"{receiver.url}/hook", secret=SECRET, delay_ms=20, connections=1)
    sent = send(sandbox, callbackData="ij1.default.0a|mine", campaignId="c1")
    payloads = receiver.wait(3)
    assert receiver.types() == ["message_api_sent", "message_api_delivered", "message_api_read"]
    for path, signature, raw, _ in receiver.got:
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        assert (path, signature) == ("/hook", f"sha256={digest}")
    data = payloads[1]["data"]
    message, customer = data["message"], data["customer"]
    assert (message["id"], message["message_status"], message["campaign_id"]) == (sent, "Delivered", "c1")
    assert message["meta_data"]["source_data"] == {"callback_data": "ij1.default.0a|mine"}
    assert json.loads(message["raw_template"])["name"] == "welcome_message"
    assert json.loads(message["message"])[0]["parameters"][0]["text"] == "John"
    assert message["delivered_at_utc"]
    assert message["seen_at_utc"] is None
    assert not message["received_at_utc"].endswith("Z")
    assert (customer["channel_phone_number"], customer["country_code"]) == ("919999999999", "+91")
    assert customer["traits"]["name"] == "John Doe"
    assert len(receiver.connections) < 3, "connections are kept"


def test_a_failing_message_says_why(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=receiver.url, delay_ms=0, share_fail=1, fail_code="131049", connections=1)
    send(sandbox)
    payloads = receiver.wait(2)
    assert receiver.types() == ["message_api_sent", "message_api_failed"]
    failed = payloads[1]["data"]["message"]
    assert (failed["message_status"], failed["channel_error_code"]) == ("Failed", "131049")
    assert failed["channel_failure_reason"]


def test_numbers_can_be_told_to_fail(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(
        url=receiver.url, delay_ms=0, statuses=["delivered"], fail_phones={"919999999998": "131026"}
    )
    send(sandbox)
    send(sandbox, phoneNumber="9999999998")
    receiver.wait(2)
    assert sorted(receiver.types()) == ["message_api_delivered", "message_api_failed"]


def test_statuses_are_doubled_shuffled_and_dropped_as_asked(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=receiver.url, delay_ms=5, share_double=1, connections=1)
    send(sandbox)
    receiver.wait(6)
    assert receiver.types().count("message_api_read") == 2
    receiver.got.clear()
    sandbox.webhooks(url=receiver.url, delay_ms=5, share_shuffle=1, connections=1)
    send(sandbox)
    receiver.wait(3)
    assert receiver.types() != ["message_api_sent", "message_api_delivered", "message_api_read"]
    sandbox.webhooks(url=receiver.url, delay_ms=0, share_drop=1)
    send(sandbox)
    until(lambda: counts(sandbox).get("dropped") == 3)
    assert len(receiver.got) == 3


def test_a_late_webhook_is_late(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=receiver.url, delay_ms=[300, 400], statuses=["delivered"])
    start = time.time()
    send(sandbox)
    receiver.wait(1)
    assert receiver.got[0][3] - start >= 0.3


def test_a_forged_webhook_has_a_wrong_signature_and_disables_nothing(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.status = 401
    sandbox.webhooks(url=receiver.url, secret=SECRET, share_forge=1, statuses=[])
    for _ in range(6):
        send(sandbox)
    receiver.wait(6)
    for _, signature, raw, _ in receiver.got:
        assert signature != "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    until(lambda: counts(sandbox).get("forged_refused") == 6)
    assert sandbox.webhooks()["webhooks"][0]["disabled"] is False


def test_five_failures_disable_the_webhook_and_nothing_is_sent_again(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.status = 500
    sandbox.webhooks(url=receiver.url, delay_ms=0, statuses=["sent"])
    for number in range(7):
        send(sandbox)
        until(lambda number=number: settled(sandbox) > number)  # type: ignore[misc]
    hook = sandbox.webhooks()["webhooks"][0]
    assert (hook["disabled"], hook["counts"]["failed"], hook["counts"]["lost_while_disabled"]) == (True, 5, 2)
    assert len(receiver.got) == 5
    receiver.status = 200
    sandbox.webhooks(url=receiver.url, delay_ms=0, statuses=["sent"])
    send(sandbox)
    receiver.wait(6)


def test_an_answer_after_three_seconds_is_a_failure(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.pause = 3.5
    sandbox.webhooks(url=receiver.url, delay_ms=0, statuses=["sent"])
    send(sandbox)
    until(lambda: counts(sandbox).get("failed") == 1)


def test_a_retry_can_be_asked_for(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.status = 500
    sandbox.webhooks(url=receiver.url, delay_ms=0, statuses=["sent"], no_retry=False, auto_disable=False)
    send(sandbox)
    receiver.wait(2)
    assert receiver.got[0][2] == receiver.got[1][2]


def test_an_accepted_message_whose_answer_was_lost_has_its_receipt(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.webhooks(url=receiver.url, delay_ms=0, statuses=["delivered"])
    sandbox.faults(accept_lose_answer=1)
    with pytest.raises(ConnectionResetError):
        send(sandbox, callbackData="ij1.default.0b")
    (payload,) = receiver.wait(1)
    assert payload["data"]["message"]["meta_data"]["source_data"]["callback_data"] == "ij1.default.0b"


def test_inbound_messages_of_each_kind(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=receiver.url)
    sandbox.inbound(phone="9999999998", text="Hello")
    sandbox.inbound(phone="919999999998", button_reply={"id": "btn_yes", "title": "Yes"})
    sandbox.inbound(phone="+919999999998", list_reply={"id": "opt", "title": "Billing"})
    sandbox.inbound(phone="9999999998", media_url="https://example.com/x.jpg", text="a photo")
    until(lambda: len(receiver.got) == 4)
    messages = {
        p["data"]["message"]["message_content_type"]: p["data"]["message"] for p in receiver.payloads()
    }
    assert set(receiver.types()) == {"message_received"}
    assert messages["Text"]["message"] == "Hello"
    reply = {"type": "button_reply", "button_reply": {"id": "btn_yes", "title": "Yes"}}
    assert json.loads(messages["InteractiveButtonReply"]["message"]) == reply
    assert json.loads(messages["InteractiveListReply"]["message"])["list_reply"]["id"] == "opt"
    assert messages["Image"]["media_url"] == "https://example.com/x.jpg"
    with pytest.raises(ControlError, match="Phone Number"):
        sandbox.inbound(phone="12", text="x")


def test_rcs_callbacks_have_the_documents_shape(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(rcs_url=f"{receiver.url}/rcs", delay_ms=0, connections=1)
    sent = send(sandbox, "rcs/message/", type="Text", message={"plainText": "Hello"})
    delivered, read = receiver.wait(2)
    assert (delivered["userPhoneNumber"], delivered["entityType"]) == ("+919999999999", "USER_EVENT")
    assert delivered["entity"]["messageId"] == sent
    assert [p["entity"]["eventType"] for p in (delivered, read)] == ["MESSAGE_DELIVERED", "MESSAGE_READ"]
    sandbox.inbound(text="Hello, I need help", rcs=True)
    inbound = receiver.wait(3)[2]
    assert inbound["entityType"] == "USER_MESSAGE"
    assert inbound["entity"]["text"] == "Hello, I need help"
    assert {(path, signature) for path, signature, _, _ in receiver.got} == {("/rcs", None)}


def test_the_dashboards_test_and_any_payload_can_be_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    assert sandbox.webhook() == {"queued": False}
    sandbox.webhooks(url=receiver.url, secret=SECRET)
    sandbox.webhook()
    sandbox.webhook({"type": "account_alerts", "data": {}})
    receiver.wait(2)
    assert set(receiver.types()) == {"Webhook Test", "account_alerts"}


def test_a_template_that_changes_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=receiver.url)
    sandbox.templates(name="welcome_message", status="PAUSED")
    (payload,) = receiver.wait(1)
    assert payload["type"] == "message_template_status_update"
    assert (payload["data"]["event"], payload["data"]["message_template_name"]) == (
        "PAUSED",
        "welcome_message",
    )


def test_an_account_can_have_a_webhook_of_its_own(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhooks(url=f"{receiver.url}/all", delay_ms=0, statuses=["sent"])
    sandbox.webhooks(account=sandbox.account(), url=f"{receiver.url}/own", delay_ms=0, statuses=["sent"])
    send(sandbox)
    receiver.wait(1)
    assert [path for path, *_ in receiver.got] == ["/own"]


def test_the_secret_is_not_shown(sandbox: Sandbox) -> None:
    assert SECRET not in json.dumps(sandbox.webhooks(url="http://127.0.0.1:1/", secret=SECRET))
    with pytest.raises(ControlError, match="url: an http or https URL"):
        sandbox.webhooks(url="ftp://example.com")


def test_a_receiver_that_is_down_counts_as_failed(sandbox: Sandbox) -> None:
    sandbox.webhooks(url="http://127.0.0.1:1/", delay_ms=0, statuses=["sent"])
    send(sandbox)
    until(lambda: counts(sandbox).get("failed") == 1)
