"""Settings from the environment."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from config import settings
from config.settings import Secret, SettingsError, load
from config.table import markdown
from worker.checks.settings import try_settings

KEY = "c2VjcmV0LXRva2VuOg=="
MINIMAL = {"INTERAKT_API_KEY": KEY}


def mistakes(**environ: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load({**MINIMAL, **environ})
    return caught.value.mistakes


def test_a_key_is_all_that_is_needed() -> None:
    found = load(MINIMAL)
    account = found.accounts["default"]
    assert found.redis_url == "redis://127.0.0.1:6379/0"
    assert account.base_url == "https://api.interakt.ai/v1/public/"
    assert account.api_key.reveal() == KEY
    assert account.calls_per_window == 300
    assert found.lane_shares == {"urgent": 60, "normal": 20, "bulk": 20}
    assert found.warnings == ()


def test_all_mistakes_are_told_together_each_with_its_fix() -> None:
    found = {
        "REDIS_URL": "redis://x/abc",
        "SENTRY_DSN": "foo",
        "INTERAKT_BASE_URL": "api.interakt.ai",
        "INTERAKT_CALLS_PER_MINUTE": "many",
        "INTERAKT_LANE_SHARES": "urgent=90,normal=20,bulk=20",
        "INTERAKT_POISON_GUARD": "perhaps",
        "INTERAKT_LOG_LEVEL": "loud",
        "INTERAKT_RCS_ALLOWED_IPS": "1.2.3",
        "INTERAKT_ON_INBOUND": "no name!",
        "INTERAKT_HTTP_DEADLINE_SECONDS": "nan",
        "PORT": "-1",
    }
    told = mistakes(**found)
    assert set(told) == set(found)
    assert all("use " in text for text in told.values())


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://127.0.0.1:26379/0",
        "redis://:geheim@127.0.0.1/1?socket_timeout=ten",
        "redis://127.0.0.1/1?no_such_option=1",
        "rediss://127.0.0.1/1?ssl_cert_reqs=perhaps",
        "redis+socket:///tmp/redis.sock?socket_timeout=ten",
        "amqp://127.0.0.1?heartbeat=soon",
        "unix:///tmp/redis.sock",
        "kafka://127.0.0.1",
    ],
)
def test_a_broker_that_celery_cannot_use_is_refused_at_the_start(url: str) -> None:
    told = mistakes(INTERAKT_ON_DONE_BROKER_URL=url)
    assert "use " in told["INTERAKT_ON_DONE_BROKER_URL"] and "geheim" not in str(told)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pw@127.0.0.1/1",
        "rediss://127.0.0.1/1?ssl_cert_reqs=CERT_REQUIRED",
        "amqps://127.0.0.1//",
        "redis+socket:///x",
    ],
)
def test_a_broker_that_celery_can_use_is_taken_as_it_is(url: str) -> None:
    assert load({**MINIMAL, "INTERAKT_ON_DONE_BROKER_URL": url}).on_done_broker_url == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://:geheim@127.0.0.1/0?socket_timeout=ten",
        "redis://127.0.0.1/0?socket_timeout=5",
        "redis://127.0.0.1/0?db=7",
        "redis://127.0.0.1/0?ssl_cert_reqs=none",
        "redis+socket:///tmp/redis.sock?db=x",
        "unix:///tmp/redis.sock?protocol=3",
        "rediss://127.0.0.1/0?ssl_ca_certs=/no/such/file.pem",
        "rediss://127.0.0.1/0?ssl_no_such=1",
        "rediss://127.0.0.1/0?ssl_cert_reqs=perhaps",
    ],
)
def test_a_redis_url_whose_options_cannot_be_used_is_refused_at_the_start(url: str) -> None:
    told = mistakes(REDIS_URL=url)
    assert set(told) == {"REDIS_URL"} and "geheim" not in str(told)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTERAKT_BASE_URL", "https://exa mple.com/v1/"),
        ("INTERAKT_BASE_URL", "https://a..b/v1/"),
        ("INTERAKT_BASE_URL", "https://h;x/v1/"),
        ("INTERAKT_RCS_PATH_SECRET", "with/a/slash"),
        ("INTERAKT_RCS_PATH_SECRET", "question?mark=1"),
        ("INTERAKT_RCS_PATH_SECRET", "percent%20sign"),
    ],
)
def test_what_has_the_form_and_can_never_work_is_refused_at_the_start(name: str, value: str) -> None:
    assert set(mistakes(**{name: value})) == {name}


def test_telling_of_inbound_messages_needs_a_broker() -> None:
    assert set(mistakes(INTERAKT_ON_INBOUND="shop.told")) == {"INTERAKT_ON_DONE_BROKER_URL"}
    load(
        {**MINIMAL, "INTERAKT_ON_INBOUND": "shop.told", "INTERAKT_ON_DONE_BROKER_URL": "redis://127.0.0.1/1"}
    )


def test_keys_and_folders_are_tried_before_a_worker_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {
        **MINIMAL,
        "INTERAKT_API_KEY__BRAND_B": "two words",
        "INTERAKT_CAMPAIGN_DIR": str(tmp_path / "nowhere"),
        "INTERAKT_UPLOAD_DIR": str(tmp_path / "file"),
    }
    found = try_settings(load(environ))
    assert set(found) == {"INTERAKT_API_KEY__BRAND_B", "INTERAKT_CAMPAIGN_DIR", "INTERAKT_UPLOAD_DIR"}
    assert "two words" not in str(found)
    assert try_settings(load({**MINIMAL, "INTERAKT_CAMPAIGN_DIR": str(tmp_path)})) == {}


def test_a_missing_key_is_told_with_the_other_mistakes() -> None:
    with pytest.raises(SettingsError, match="2 settings to fix") as caught:
        load({"INTERAKT_BASE_URL": "x"})
    assert set(caught.value.mistakes) == {"INTERAKT_API_KEY", "INTERAKT_BASE_URL"}
    assert load({}, keys=False).accounts == {}


def test_an_account_that_is_none_of_ours_may_be_named_after_anything_with_a_key() -> None:
    found = load(
        {
            **MINIMAL,
            "INTERAKT_API_KEY__BRAND_B": "b2Q6",
            "INTERAKT_CALLS_PER_MINUTE": "600",
            "INTERAKT_WINDOW_SECONDS__BRAND_B": "0.5",
            "INTERAKT_WEBHOOK_SECRET": "whsec-default",
        }
    )
    other = found.accounts["brand_b"]
    assert (other.calls_per_minute, other.window_seconds, other.calls_per_window) == (600, 0.5, 5)
    assert other.webhook_secret is None
    assert found.accounts["default"].webhook_secret == Secret("whsec-default")


def test_two_webhook_secrets_hold_while_one_is_changed_for_the_other() -> None:
    found = load(
        {
            **MINIMAL,
            "INTERAKT_API_KEY__BRAND_B": "placeholder-key-0001",
            "INTERAKT_WEBHOOK_SECRET": "placeholder-new",
            "INTERAKT_WEBHOOK_SECRET_OLD": "placeholder-old",
            "INTERAKT_WEBHOOK_SECRET__BRAND_B": "placeholder-b-new",
            "INTERAKT_WEBHOOK_SECRET_OLD__BRAND_B": "placeholder-b-old",
        }
    )
    shown = {name: [each.reveal() for each in one.webhook_secrets] for name, one in found.accounts.items()}
    assert shown == {
        "default": ["placeholder-new", "placeholder-old"],
        "brand_b": ["placeholder-b-new", "placeholder-b-old"],
    }


@pytest.mark.parametrize(
    ("environ", "name", "text"),
    [
        (
            {"INTERAKT_WEBHOOK_SECRET_OLD": "placeholder-old"},
            "INTERAKT_WEBHOOK_SECRET_OLD",
            "use INTERAKT_WEBHOOK_SECRET",
        ),
        (
            {
                "INTERAKT_WEBHOOK_SECRET": "placeholder-new",
                "INTERAKT_WEBHOOK_SECRET_OLD": "placeholder-old",
                "INTERAKT_API_KEY__B": "placeholder-key-0001",
                "INTERAKT_WEBHOOK_SECRET__B": "placeholder-old",
            },
            "INTERAKT_WEBHOOK_SECRET_OLD",
            "account 'b'",
        ),
        ({"INTERAKT_CALLS_PER_MINUTE__B": "6"}, "INTERAKT_CALLS_PER_MINUTE__B", "INTERAKT_API_KEY__B"),
        ({"INTERAKT_API_KEY__B": KEY}, "INTERAKT_API_KEY__B", "one key has one limit"),
        ({"INTERAKT_API_KEY__DEFAULT": "x"}, "INTERAKT_API_KEY__DEFAULT", "has no suffix"),
        ({"INTERAKT_API_KEY__Brand": "x"}, "INTERAKT_API_KEY__Brand", "capitals"),
        ({"INTERAKT_API_KEY__" + "A" * 33: "x"}, "INTERAKT_API_KEY__" + "A" * 33, "at most 32"),
        ({"INTERAKT_API_KEY__": "x"}, "INTERAKT_API_KEY__", "suffix"),
        ({"INTERAKT_API_KEY__B": "b", "INTERAKT_BASE_URL__B": "b"}, "INTERAKT_BASE_URL__B", "https://"),
        ({"INTERAKT_API_KEY__B": "b", "INTERAKT_BASE_URL": "b"}, "INTERAKT_BASE_URL", "https://"),
        ({"INTERAKT_RETRY_BASE_SECONDS": "400"}, "INTERAKT_RETRY_CAP_SECONDS", "raise it"),
        ({"INTERAKT_START_WORDS": "go,STOP"}, "INTERAKT_START_WORDS", "'stop'"),
    ],
)
def test_mistakes_of_several_variables(environ: dict[str, str], name: str, text: str) -> None:
    told = mistakes(**environ)
    assert set(told) == {name}
    assert text in told[name]


def test_no_mistake_shows_a_secret() -> None:
    told = mistakes(
        INTERAKT_WEBHOOK_SECRET="geheim\nnis", SENTRY_DSN="ünsichtbar", REDIS_URL="http://:geheim@x"
    )
    assert len(told) == 3
    assert not any(word in str(told) for word in ("geheim", "nsichtbar"))


def test_secrets_do_not_show_themselves() -> None:
    found = load(
        {**MINIMAL, "REDIS_URL": "redis://:hunter22@127.0.0.1/0", "SENTRY_DSN": "https://k@sentry.invalid/1"}
    )
    shown = f"{found!r} {found} {found.accounts['default'].api_key}"
    assert KEY not in shown
    assert "hunter22" not in shown
    assert "sentry.invalid" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(found.sentry_dsn)
    with pytest.raises(TypeError):
        copy.deepcopy(found.sentry_dsn)


def test_an_unknown_name_is_reported_with_the_nearest_one() -> None:
    found = load(
        {
            **MINIMAL,
            "INTERAKT_CALS_PER_MINUTE": "1",
            "INTERAKT_ZZZ": "1",
            "INTERAKT_TEST_X": "",
            "INTERAKT_REDIS_URL": "",
        }
    )
    assert found.warnings == (
        "INTERAKT_CALS_PER_MINUTE is not a setting: did you mean INTERAKT_CALLS_PER_MINUTE?",
        "INTERAKT_ZZZ is not a setting",
    )


@pytest.mark.parametrize(
    "host",
    [
        "api.interakt.ai",
        "198.18.0.1.example.org",
        "8.8.8.8",
        "[2001:4860:4860::8888]",
        "localhost.example.org",
        "134744072",
    ],
)
def test_a_key_does_not_go_to_a_public_host_in_clear_text(host: str) -> None:
    assert "https://" in mistakes(INTERAKT_BASE_URL=f"http://{host}/v1/public/")["INTERAKT_BASE_URL"]
    assert "https://" in mistakes(SENTRY_DSN=f"http://key@{host}/1")["SENTRY_DSN"]
    found = load(
        {**MINIMAL, "REDIS_URL": f"redis://:pw@{host}/0", "INTERAKT_ON_DONE_BROKER_URL": f"amqp://{host}"}
    )
    assert [warning.partition(" ")[0] for warning in found.warnings] == [
        "REDIS_URL",
        "INTERAKT_ON_DONE_BROKER_URL",
    ]
    assert "rediss://" in found.warnings[0]
    assert load({**MINIMAL, "INTERAKT_BASE_URL": f"https://{host}/"}).warnings == ()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "sandbox",
        "10.1.2.3",
        "192.168.0.9",
        "[::1]",
        "[fd00::1]",
        "api.staging.internal",
        "a.test",
    ],
)
def test_clear_text_is_fine_on_this_machine_and_in_a_private_network(host: str) -> None:
    found = load(
        {
            **MINIMAL,
            "INTERAKT_BASE_URL": f"http://{host}:8900/v1/public/",
            "REDIS_URL": f"redis://:pw@{host}:6379/0",
        }
    )
    assert found.warnings == ()


def test_a_secret_that_is_guessed_is_refused() -> None:
    told = mistakes(INTERAKT_WEBHOOK_SECRET="x", INTERAKT_RCS_PATH_SECRET="secret7")
    assert set(told) == {"INTERAKT_WEBHOOK_SECRET", "INTERAKT_RCS_PATH_SECRET"}
    assert all("8 characters" in text for text in told.values())
    (warning,) = load({"INTERAKT_API_KEY": "k"}).warnings
    assert warning.startswith("INTERAKT_API_KEY is too short")


def test_one_secret_for_two_accounts_is_refused() -> None:
    told = mistakes(
        INTERAKT_API_KEY__B="other-key",
        INTERAKT_WEBHOOK_SECRET="one-for-both",
        INTERAKT_WEBHOOK_SECRET__B="one-for-both",
    )
    assert set(told) == {"INTERAKT_WEBHOOK_SECRET__B"}
    assert "each account's own" in told["INTERAKT_WEBHOOK_SECRET__B"]


def test_values_are_read_as_people_write_them() -> None:
    found = load(
        {
            **MINIMAL,
            "INTERAKT_BASE_URL": " http://127.0.0.1:8900/v1/public ",
            "INTERAKT_LOG_FORMAT": "TEXT",
            "INTERAKT_SESSION_WINDOW_GUARD": "Yes",
            "INTERAKT_STOP_WORDS": "Stop, बंद करो ,,",
            "INTERAKT_RCS_ALLOWED_IPS": "192.0.2.7, 2001:db8::/32",
            "REDIS_URL": "redis+socket:///tmp/redis.sock",
            "INTERAKT_SPOOL_DIR": "",
            "INTERAKT_HOLD_SECONDS": "0.25",
        }
    )
    assert found.accounts["default"].base_url == "http://127.0.0.1:8900/v1/public/"
    assert (found.log_format, found.session_window_guard, found.hold_seconds) == ("text", True, 0.25)
    assert found.stop_words == ("stop", "बंद करो")
    assert found.rcs_allowed_ips == ("192.0.2.7", "2001:db8::/32")
    assert found.spool_dir is None


def test_the_process_reads_its_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.current.cache_clear()
    monkeypatch.setenv("INTERAKT_API_KEY", KEY)
    first = settings.current()
    monkeypatch.setenv("INTERAKT_API_KEY", "other")
    assert settings.current() is first
    settings.current.cache_clear()


def test_the_page_of_settings_is_what_the_schema_says() -> None:
    assert Path("docs/settings.md").read_text() == markdown()
