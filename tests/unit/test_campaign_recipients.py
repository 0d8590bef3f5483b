"""Recipients on the way in: encodings, delimiters, spoiled numbers, hostile files."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.phone_text import Phones
from schemas.phones import BadPhone, same_person, split
from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.definition.errors import CampaignError
from worker.campaigns.recipients.phone_set import PhoneSet
from worker.campaigns.recipients.reader import RecipientReader
from worker.campaigns.recipients.rows import Recipient, Rejected, RejectsFile
from worker.campaigns.recipients.sources import CsvFile, Dicts, JsonLines, Source, open_source
from worker.campaigns.recipients.text_files import encoding_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "campaign"


def definition(*columns: str, **recipients: str) -> Definition:
    body = [f"{{{name}}}" for name in columns or ("name",)]
    return read({"name": "Diwali", "template": {"name": "x", "body": body}, "recipients": recipients})


def take(source: Source, campaign: Definition | None = None) -> tuple[list[Recipient], list[Rejected]]:
    rows = list(RecipientReader(campaign or definition(), source))
    return [row for row in rows if isinstance(row, Recipient)], [
        row for row in rows if isinstance(row, Rejected)
    ]


def written(tmp_path: Path, content: str | bytes, encoding: str = "utf-8", name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_the_example_keeps_three_and_says_why_not_the_others() -> None:
    kept, rejected = take(open_source(EXAMPLE / "people.csv"))
    assert [(row.line, row.digits, row.values) for row in kept] == [
        (2, "919999999999", ("Asha",)),
        (3, "919999999998", ("Ravi",)),
        (4, "919999999997", ("Meera",)),
    ]
    assert [(row.line, row.kind) for row in rejected] == [(5, "duplicate"), (6, "phone"), (7, "missing")]
    assert "spreadsheet" in rejected[1].reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_encoding_and_delimiter_of_a_spreadsheet_is_read(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = f"phone{delimiter}name\r\n9999999999{delimiter}Zoë Müller\r\n"
    kept, rejected = take(CsvFile(written(tmp_path, text, encoding)))
    assert [row.values for row in kept] == [("Zoë Müller",)]
    assert rejected == []


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_of_both_orders_is_read_by_its_mark(tmp_path: Path, order: str) -> None:
    text = "\ufeffphone\tname\n9999999999\tअमित\n"
    kept, _ = take(CsvFile(written(tmp_path, text, order)))
    assert kept[0].values == ("अमित",)


def test_a_damaged_byte_late_in_a_utf8_file_costs_one_row(tmp_path: Path) -> None:
    good = "".join(f"99999{at:05d},Zoë\n" for at in range(3000)).encode()
    kept, rejected = take(CsvFile(written(tmp_path, b"phone,name\n" + good + b"9888888888,Zo\xeb\n")))
    assert len(kept) == 3000
    assert {row.values for row in kept} == {("Zoë",)}
    assert [(row.line, row.kind) for row in rejected] == [(3002, "forbidden")]


def test_a_multibyte_letter_on_a_chunk_border_is_no_damage(tmp_path: Path) -> None:
    content = b"x" * ((1 << 20) - 1) + "ë".encode() + b"y" * (1 << 20)
    assert encoding_of(written(tmp_path, content)) == "utf-8"


def test_a_quoted_line_end_is_one_row_and_lines_are_counted_on(tmp_path: Path) -> None:
    text = 'phone,note,name\n9999999999,"two\nlines",Asha\n9999999998,one,Ravi\n'
    kept, _ = take(CsvFile(written(tmp_path, text)))
    assert [(row.line, row.values) for row in kept] == [(2, ("Asha",)), (4, ("Ravi",))]
    _, rejected = take(CsvFile(written(tmp_path, text)), definition("note"))
    assert [(row.line, row.reason) for row in rejected] == [
        (2, "note: must be one line, it has a line break")
    ]


def test_ragged_rows_and_nul_bytes_are_rejected_with_their_line_and_blank_ones_pass(tmp_path: Path) -> None:
    text = "phone,name\n9999999999\n\n,\n9999999998,a,b\n9999999997,a\x00b\n9999999996,Asha,,\n"
    kept, rejected = take(CsvFile(written(tmp_path, text)))
    assert [row.line for row in kept] == [7]
    assert [(row.line, row.kind) for row in rejected] == [
        (2, "missing"),
        (5, "unreadable"),
        (6, "forbidden"),
    ]


def test_an_open_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = "".join(f"99999{at:05d},A\n" for at in range(20_000))
    kept, rejected = take(CsvFile(written(tmp_path, 'phone,name\n9888888888,"open\n' + rows)))
    assert [row.line for row in rejected] == [2]
    assert "quotation mark" in rejected[0].reason
    assert [kept[0].line, kept[-1].line, len(kept)] == [3, 20_002, 20_000]
    kept, rejected = take(
        CsvFile(written(tmp_path, 'phone,name\n9888888888,"open\n9888888887,A\n9888888886,B\n'))
    )
    assert ([row.line for row in rejected], [row.line for row in kept]) == ([2], [3, 4])


def test_a_line_of_many_megabytes_is_one_rejected_row(tmp_path: Path) -> None:
    path = written(tmp_path, "phone,name\n9999999999," + "x" * 5_000_000 + "\n9999999998,Ravi\n")
    kept, rejected = take(CsvFile(path))
    assert [row.line for row in kept] == [3]
    assert [(row.line, row.reason) for row in rejected] == [(2, "a line too long to be a recipient")]


def test_excels_separator_line_is_understood(tmp_path: Path) -> None:
    kept, _ = take(CsvFile(written(tmp_path, "sep=;\nphone;name\n9999999999;Asha, Ravi\n")))
    assert [(row.line, row.values) for row in kept] == [(3, ("Asha, Ravi",))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name the columns"),
        ("9999999999,Asha\n", "it is a recipient"),
        ("phone,name,name\n", "two columns have the same name: name"),
        ("email,name\n", "no column for the phone"),
        ("phone,mobile,name\n", "several columns"),
        ("phone,Nmae\n", "did you mean 'Nmae'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_else(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(CampaignError, match=why):
        take(CsvFile(written(tmp_path, text)))


def test_json_lines_and_dicts_are_read_alike(tmp_path: Path) -> None:
    lines = (
        '{"phone": 9999999999, "name": "Asha"}\n\nnot json\n[1]\n{"phone": "9999999998"}\n'
        '{"phone": "9999999997", "name": true}\n' + "[" * 100_000 + "\n"
    )
    kept, rejected = take(JsonLines(written(tmp_path, lines, name="people.jsonl")))
    assert [row.line for row in kept] == [1]
    assert [(row.line, row.kind) for row in rejected] == [
        (3, "unreadable"),
        (4, "unreadable"),
        (5, "missing"),
        (6, "unreadable"),
        (7, "unreadable"),
    ]
    people: list[Any] = [
        {"phone": "9999999999", "name": "Asha"},
        7,
        {"phone": "9999999998", "name": 10**5000},
    ]
    kept, rejected = take(Dicts(people))
    assert (len(kept), len(rejected)) == (1, 2)


def test_country_code_and_zone_columns_override_what_the_number_says(tmp_path: Path) -> None:
    text = (
        "countryCode,phoneNumber,timezone,name\n+1,4155550123,,Jo\n44,7911123456,Europe/Paris,Al\n"
        "+91,9999999999,Mars/Olympus,Asha\n+999,9999999998,,Ravi\n"
    )
    kept, rejected = take(CsvFile(written(tmp_path, text)))
    assert [(row.digits, row.zone) for row in kept] == [
        ("14155550123", "America/Los_Angeles"),
        ("447911123456", "Europe/Paris"),
    ]
    assert [row.kind for row in rejected] == ["timezone", "phone"]


def test_the_opted_out_are_asked_for_in_bulk_and_rejected(tmp_path: Path) -> None:
    rows = [{"phone": f"99999{at:05d}", "name": "A"} for at in range(2500)]
    gone = {f"9199999{at:05d}" for at in (0, 999, 1000, 2499)}
    asked = []

    def opted_out(people: Sequence[str]) -> list[bool]:
        asked.append(len(people))
        return [found in gone for found in people]

    intake = RecipientReader(definition(), Dicts(rows), opted_out)
    rejected = [row.line for row in intake if isinstance(row, Rejected)]
    assert rejected == [1, 1000, 1001, 2500]
    assert asked == [1000, 1000, 500]
    assert intake.rejected == {"opted_out": 4}


@pytest.mark.parametrize(
    ("raw", "digits"),
    [
        ("9999999999", "919999999999"),
        (" 99999 99999 ", "919999999999"),
        ("+91-99999-99999", "919999999999"),
        ("919999999999", "919999999999"),
        ("00919999999999", "919999999999"),
        ("09999999999", "919999999999"),
        ("'9999999999", "919999999999"),
        ("\u00a0+91\u00a099999\u00a099999\u200e", "919999999999"),
        ("9999999999.0", "919999999999"),
        ("9.99999999999E+11", "999999999999"),
        ("9.19999999999E+11", "919999999999"),
        ("(999) 999-9999", "919999999999"),
        ("९९९९९९९९९९", "919999999999"),
        ("+14155550123", "14155550123"),
        ("447911123456", "447911123456"),
    ],
)
def test_a_number_is_repaired_where_it_can_only_mean_one(raw: str, digits: str) -> None:
    if digits.startswith("99999"):
        with pytest.raises(BadPhone):
            Phones().read(raw)
    else:
        assert Phones().read(raw) == digits


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "no phone number"),
        ("9.19999E+11", "spreadsheet"),
        ("9,2E+11", "spreadsheet"),
        ("1234567890", "not a mobile"),
        ("99999", "+91"),
        ("call me", "letters"),
        ("#N/A", "letters"),
        ("+910000000000", "+91"),
        ("9" * 61, "too long"),
        ("9" * 41, "two in one cell"),
        ("+0", "no such country"),
        ("01123456789", "not a mobile"),
    ],
)
def test_a_number_that_is_none_gives_its_reason(raw: str, why: str) -> None:
    with pytest.raises(BadPhone, match=why.replace("+", r"\+")):
        Phones().read(raw)


def test_a_mistyped_national_number_is_never_somebody_abroad() -> None:
    for number in random.Random(7).sample(range(1, 6 * 10**9), 3000):
        text = f"{number:010d}".lstrip("0").ljust(10, "1")
        try:
            found = Phones().read(text)
        except BadPhone:
            continue
        assert found == f"91{text}"


def test_the_fast_check_agrees_with_phonenumbers() -> None:
    chance = random.Random(3)
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    prefixes = [
        "9198",
        "9122",
        "1415",
        "447",
        "4420",
        "77",
        "79",
        "6141",
        "628",
        "5511",
        "971",
        "351",
        "393",
        "2348",
    ]
    for _ in range(4000):
        prefix = chance.choice(prefixes)
        digits = prefix + "".join(chance.choices("0123456789", k=chance.randint(10, 12) - len(prefix)))
        number = phonenumbers.parse(f"+{same_person(digits)}")
        wanted = phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in mobile
        try:
            found = Phones().read(f"+{digits}")
        except BadPhone:
            assert not wanted, prefix
        else:
            assert wanted, prefix
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
            assert found == same_person(digits)


def test_countries_are_split_off_as_their_codes_are() -> None:
    assert split("919999999999") == ("91", "9999999999")
    assert split("14155550123") == ("1", "4155550123")
    assert split("971501234567") == ("971", "501234567")
    assert split("0") == ("", "0")


def test_numbers_seen_are_exact_and_small() -> None:
    seen, chance = PhoneSet(), random.Random(5)
    numbers = [str(10**11 + number) for number in chance.sample(range(10**10), 50_000)]
    assert all(seen.add(number) for number in numbers)
    assert not any(seen.add(number) for number in numbers)
    assert len(seen) == 50_000
    assert seen._table.itemsize * len(seen._table) <= 50_000 * 24


def test_the_rejects_file_holds_no_formula() -> None:
    file = io.StringIO()
    rejects = RejectsFile(file)
    for phone in ("=HYPERLINK(1)", "@x", "+91 99999", "-cmd", "\ud800"):
        rejects.add(Rejected(2, "phone", "why", phone))
    cells = [row[3] for row in csv.reader(io.StringIO(file.getvalue()))][1:]
    assert cells == ["'=HYPERLINK(1)", "'@x", "+91 99999", "'-cmd", "?"]


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=600), st.sampled_from([b"phone,name\n", b"\xff\xfep\0h\0o\0n\0e\0,\0n\0a\0m\0e\0\n\0"])
)
def test_any_bytes_become_recipients_or_rejections(
    tmp_path_factory: Any, content: bytes, head: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.csv"
    path.write_bytes(head + content)
    try:
        kept, rejected = take(CsvFile(path))
    except CampaignError:
        return
    assert all(row.digits.isdigit() and row.values[0] for row in kept)
    file = io.StringIO()
    rejects = RejectsFile(file)
    for row in rejected:
        rejects.add(row)
    file.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=45))
def test_any_text_is_a_number_or_not(text: str) -> None:
    try:
        digits = Phones().read(text)
    except BadPhone:
        return
    assert digits.isascii()
    assert digits.isdigit()
    assert 7 <= len(digits) <= 15
