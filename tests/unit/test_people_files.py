"""Files of people as spreadsheets write them, and what is no such file by its name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from worker.campaigns.definition.definition import Definition, read
from worker.campaigns.definition.errors import CampaignError
from worker.campaigns.recipients import workbook
from worker.campaigns.recipients.people_file import PeopleFile
from worker.campaigns.recipients.reader import RecipientReader
from worker.campaigns.recipients.rows import Recipient, Rejected
from worker.campaigns.recipients.sources import Dicts, open_source

Write = Callable[[str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def definition(*columns: str, **recipients: Any) -> Definition:
    body = [f"{{{name}}}" for name in columns]
    return read({"name": "Diwali", "template": {"name": "x", "body": body}, "recipients": recipients})


def take(
    path: Path, *columns: str, delimiter: str = "", **recipients: Any
) -> tuple[list[Recipient], list[Rejected]]:
    rows = list(RecipientReader(definition(*columns, **recipients), open_source(path, delimiter=delimiter)))
    kept = [row for row in rows if isinstance(row, Recipient)]
    return kept, [row for row in rows if isinstance(row, Rejected)]


def people(path: Path, **options: str) -> list[str]:
    return list(PeopleFile(path, **options).people())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # more of another mark in the heading than of the delimiter
        ("mobile|city, district, state|note\n9999999990|Pune|x\n", 2),
        ("name (a; b; c; d),phone\nAsha,9999999990\n", 2),
        ("phone;sum, in rupees, with tax\n9999999990;1,250,00\n9999999991;2,250,00\n", 2),
        ("Nr\tKontakt, alle\n9999999990\tA, b, c\n9999999991\tD, e, f\n", 2),
        # Excel's own line, quoted, with a tab, in capitals, saved again
        ('"sep=|"\r\nphone|name\r\n9999999990|A;b\r\n', 3),
        ("sep=\t\nphone\tname\n9999999990\tA\n", 3),
        ('"sep=\t"\nphone\tname\n9999999990\tA\n', 3),
        ("SEP=;\nphone;name\n9999999990;A\n", 3),
        ('"sep=;";;\nphone;name;x\n9999999990;A;b\n', 3),
        # lines of nothing above the heading
        ("\n\n\nphone,name\n9999999990,A\n", 5),
        (",,\n , ,\nphone,name,x\n9999999990,A,b\n", 4),
        ("\ufeff\r\nphone\r\n9999999990\r\n", 3),
        ("sep=;\n\nphone;name\n9999999990;A\n", 4),
    ],
)
def test_heading_and_delimiter_are_found(written: Write, text: str, line: int) -> None:
    path = written(text)
    phone = "Nr" if text.startswith("Nr") else ""
    kept, rejected = take(path, **({"phone": phone} if phone else {}))
    assert (kept[0].line, kept[0].digits) == (line, "919999999990")
    assert rejected == []


def test_the_delimiter_can_be_said(written: Write) -> None:
    path = written("phone~name\n9999999990~A\n")
    assert take(path, "name", delimiter="~")[0][0].values == ("A",)


def test_cells_that_are_missing_at_the_end_are_empty(written: Write) -> None:
    path = written(
        "name,phone,note,vip\nA,9999999990\nB,9999999991,x\nC,9999999992,x,y\nD,9999999993,,,\nE,9999999994,,,z\nF\n"
    )
    kept, rejected = take(path)
    assert [row.line for row in kept] == [2, 3, 4, 5]
    assert kept[0].own == ("A", "", "")
    assert [(row.line, row.kind) for row in rejected] == [(6, "unreadable"), (7, "phone")]


def test_twin_columns_matter_only_where_they_are_used(written: Write) -> None:
    path = written("phone,name,note,note\n9999999990,A,b,c\n")
    assert len(take(path, "name")[0]) == 1
    with pytest.raises(CampaignError, match="two columns have the same name: note"):
        take(path, "note")
    with pytest.raises(CampaignError, match="two columns have the same name: phone"):
        take(written("phone,phone,name\n9999999990,9999999991,A\n"), "name")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read(written: Write, encoding: str) -> None:
    rows = "".join(f"99999{at:05d}\tआशा\r\n" for at in range(3000))
    kept, rejected = take(written(("phone\tname\r\n" + rows).encode(encoding)), "name")
    assert (len(kept), kept[-1].values, rejected) == (3000, ("आशा",), [])


def book(path: Path, *rows: tuple[Any, ...], hidden: bool = False) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    if hidden:
        sheet.sheet_state = "hidden"
        sheet.append(["phone"])
        sheet = made.create_sheet("people")
    for row in rows:
        sheet.append(list(row))
    made.save(path)
    return path


def test_a_workbook_is_read_as_its_cells_look(tmp_path: Path) -> None:
    path = book(
        tmp_path / "people.csv",  # what it is tells, not what it is called
        (),
        ("Mobile No.", "name", "since", "paid", "vip", None),
        (9999999990, "आशा", datetime(2026, 1, 2), 12.5, True, None),
        (919999999991.0, "B", datetime(2026, 1, 2, 3, 4), 3.0, None, None),
        (None, None, None, None, None, None),
        ("+91 99999 99992", "C", date(2026, 1, 3), None, False, None),
        hidden=True,
    )
    kept, rejected = take(path, "name")
    assert [(row.line, row.digits, row.own) for row in kept] == [
        (3, "919999999990", ("2026-01-02", "12.5", "TRUE")),
        (4, "919999999991", ("2026-01-02 03:04:00", "3", "")),
        (6, "919999999992", ("2026-01-03", "", "FALSE")),
    ]
    assert rejected == []


def test_a_workbook_streams(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", ("phone", "name"), *((9999900000 + at, f"N{at}") for at in range(2000)))
    rows = open_source(path).rows(["phone", "name"])
    assert next(iter(rows)).values == ("9999900000", "N0")
    assert sum(1 for _ in rows) == 1999


def archive(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel workbook"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "compressed"),
        (b"{\\rtf1\\ansi phone}", "text document"),
        (archive(xl__workbook="<workbook/>", xl__sheet1="<worksheet/>"), "save the sheet as CSV UTF-8"),
        (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "save the sheet as CSV UTF-8"),
        (b"PK\x03\x04broken", "save the sheet as CSV UTF-8"),
        (bytes(300) + b"phone", "not text"),
        (b"", "must name the columns"),
        (b"\n\n,,,\n", "must name the columns"),
        (b"phone" + b",a" * 1001, "at most 1000"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_named_for_what_it_is(written: Write, content: bytes, why: str) -> None:
    with pytest.raises(CampaignError, match=why):
        take(written(content))


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "a.xlsx", ("phone", "name"), *((9999900000 + at, "N" * 90) for at in range(50)))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/media/zeros.bin", bytes(2 << 20))
    monkeypatch.setattr(workbook, "MOST_BYTES", 1 << 20)
    with pytest.raises(CampaignError, match="unpacks to too much"):
        take(path)


def test_a_workbook_cannot_have_more_rows_than_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that calls itself the thousand millionth would have all rows before it made up."""
    path = book(tmp_path / "a.xlsx", ("phone",), (9999999990,))
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b'r="2"', b'r="999999999"').replace(b'r="A2"', b'r="A999999999"')
    with zipfile.ZipFile(path, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    monkeypatch.setattr(workbook, "MOST_ROWS", 5000)
    assert [(row.line, row.reason) for row in take(path)[1]] == [(5001, "more rows than a sheet has")]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("None", "None"), ("none", "None"), ("NaN", "NaN"), ("<NA>", "#N/A"), ("null", "null"), ("NULL", "null"),
        ("#N/A", "#N/A"), ("undefined", "undefined"), ("????", "????"), ("??? ??", "????"), ("#REF!", "#REF!"),
        ("[object Object]", "[object Object]"), ("{{name}}", "{{ }}"),
    ],
)  # fmt: skip
def test_values_that_say_nothing_are_counted_by_column_kind_and_line(value: str, kind: str) -> None:
    rows = [{"phone": f"999999999{at}", "name": value if at else "Asha"} for at in range(8)]
    intake = RecipientReader(definition("name"), Dicts(rows))
    assert all(isinstance(row, Recipient) for row in intake)
    assert intake.nothing.counts == {("name", kind): 7}
    said = str(intake.nothing)
    assert f"7 values say nothing: 7 {kind} in name (line 2, 3, 4, 5, 6, ...)" == said


@pytest.mark.parametrize("value", ["", " ", "\u200b\u200e", "\u00a0\u2800", "\ufeff\u3164"])
def test_a_value_of_invisible_characters_is_missing(value: str) -> None:
    rows = [{"phone": "9999999990", "name": value}]
    (row,) = RecipientReader(definition("name"), Dicts(rows))
    assert isinstance(row, Rejected)
    assert row.kind == "missing"


@pytest.mark.parametrize(
    "value", ["Nan Goldin", "Jos?", "No one", "Nonette", "-", "Null Island", "n", "O'Neil"]
)
def test_a_value_that_says_something_is_sent(value: str) -> None:
    intake = RecipientReader(definition("name"), Dicts([{"phone": "9999999990", "name": value}]))
    assert isinstance(next(iter(intake)), Recipient)
    assert not intake.nothing.counts


def test_own_columns_are_kept_as_they_are_and_can_be_chosen(written: Write) -> None:
    path = written('id,phone,name,note\n7,9999999990,A,"two\nlines"\n8,9999999991,B,=1+1\n')
    assert [row.own for row in take(path, "name")[0]] == [("7", "two\nlines"), ("8", "=1+1")]
    assert [row.own for row in take(path, "name", keep=["note"])[0]] == [("two\nlines",), ("=1+1",)]
    assert [row.own for row in take(path, "name", keep=[])[0]] == [(), ()]
    with pytest.raises(CampaignError, match=r"recipients\.keep: no column 'notes'; did you mean 'note'"):
        take(path, "name", keep=["notes"])
    rows = [{"phone": "9999999990", "tags": ["a", {"b": 1}], "age": 7, "none": None}]
    (person,) = RecipientReader(definition(), Dicts(rows))
    assert isinstance(person, Recipient)
    assert person.own == ('["a", {"b": 1}]', "7", "")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("customer_id,phone\n9000000001,9999999990\n9000000002,9999999991\n", {}),
        ("Name;Mobile No.;Date\nAsha;9999999990;2026-01-01\nRavi;99999 99991;2026-01-02\n", {}),
        ("Name;Teléfono\nAsha;9999999990\nRavi;9999999991\n", {}),
        ("9999999990\n+91 99999 99991\n", {}),
        ("Opted out\n9999999990\n9999999991\n", {}),
        ("9999999990\n", {"column": "phone"}),
        ("id,who\n9000000001,9999999990\n", {"column": "who"}),
        ("countryCode,phoneNumber\n+91,9999999990\n91,9999999991\n", {}),
        ('{"phone": "9999999990"}', {}),
    ],
)
def test_an_opt_out_file_is_read_by_its_heading(tmp_path: Path, text: str, options: dict[str, str]) -> None:
    path = tmp_path / ("people.jsonl" if text.startswith("{") else "people.txt")
    path.write_text(text, encoding="utf-8")
    assert (
        people(path, **options)
        == ["919999999990", "919999999991"][: text.replace(" ", "").count("999999999")]
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Name,Handset\nAsha,9999999990\n", "no column for the phone number"),
        ("Asha,9999999990\nRavi,9999999991\n", "it is a recipient"),
        ("phone,mobile\n9999999990,9999999991\n", "several columns"),
        ("phone\n", "0 of 0 rows have a number under 'phone', so nobody was added: no rows"),
        (
            "phone\nAsha\nRavi\n9999999990\n",
            "1 of 3 rows have a number under 'phone', so nobody was added: 2 letters",
        ),
        ("phone;x\n9999999990;1\n12;2\n", "wrong number of digits"),
        ("", "must name the columns"),
    ],
)
def test_an_opt_out_file_of_which_little_is_read_fails(written: Write, text: str, why: str) -> None:
    with pytest.raises(CampaignError, match=why):
        PeopleFile(written(text)).check(lambda row: None)


def test_rejected_rows_of_an_opt_out_file_are_counted_by_reason(written: Write) -> None:
    rejected: list[Rejected] = []
    found = PeopleFile(written("phone\n9999999990\n9999999991\nAsha\n9999999992\n"))
    assert found.check(rejected.append) == {"letters in the phone number": 1}
    assert [(row.line, row.phone) for row in rejected] == [(4, "Asha")]
    assert len(list(found.people())) == 3
