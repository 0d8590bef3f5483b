"""One person, however the number is written: reading, equal forms, and who agrees on them."""

from __future__ import annotations

import itertools
import random

import pytest

import interakt_jobs.recipient as producers
import schemas
from interakt_jobs.ledger.record import recipient_of
from interakt_jobs.recipient import earlier_hashes, recipient_hash
from schemas import phones
from schemas.phone_text import Phones
from schemas.phones import CHECKS, BadPhone


@pytest.mark.parametrize(
    ("raw", "list_code", "column", "digits"),
    [
        # a trunk prefix before the country code, or between it and the number
        ("091-99999-99990", "+91", "", "919999999990"),
        ("91-0-99999-99990", "+91", "", "919999999990"),
        ("+91 (0) 99999 99990", "+91", "", "919999999990"),
        ("+091 99999 99990", "+91", "", "919999999990"),
        ("0 99999-99990", "+91", "", "919999999990"),
        ("044 7911 123456", "+44", "", "447911123456"),
        ("044 7911 123456", "+91", "44", "447911123456"),
        ("07911 123456", "+91", "0044", "447911123456"),
        ("8 (912) 345-67-89", "+7", "", "79123456789"),
        ("+39 347 1234567", "+91", "", "393471234567"),
        # a prefix for calls abroad
        ("0091 99999 99990", "+91", "", "919999999990"),
        ("0044 7911 123456", "+91", "", "447911123456"),
        ("011 91 99999 99990", "+1", "", "919999999990"),
        ("0011 44 7911 123456", "+61", "", "447911123456"),
        # the country code twice, as a form with a code of its own makes it
        ("+91 91 99999 99990", "+91", "", "919999999990"),
        # labels, links and a spreadsheet's text marks
        ("tel:+91-99999-99990", "+91", "", "919999999990"),
        ("p:+919999999990", "+91", "", "919999999990"),
        ("Mobile: 99999 99990", "+91", "", "919999999990"),
        ("whatsapp:+919999999990", "+91", "", "919999999990"),
        ("https://wa.me/919999999990", "+91", "", "919999999990"),
        ('="9999999990"', "+91", "", "919999999990"),
        ("99999_99990", "+91", "", "919999999990"),
        # invisible characters, and other scripts' digits and signs
        ("\u2066+91 99999 99990\u2069", "+91", "", "919999999990"),
        ("99999\u00ad99990", "+91", "", "919999999990"),
        ("\ufeff99999\u200b99990\u2060", "+91", "", "919999999990"),
        ("\uff0b\uff19\uff11\uff19\uff19\uff19\uff19\uff1999990", "+91", "", "919999999990"),
        ("\u0669\u0669\u0669\u0669\u066999990", "+91", "", "919999999990"),
        ("+91\u201199999\u221299990", "+91", "", "919999999990"),
        # forms that WhatsApp keeps
        ("+52 1 55 1234 5678", "+91", "", "525512345678"),
        ("1 55 1234 5678", "+52", "", "525512345678"),
        ("+55 11 9999 9999", "+91", "", "5511999999999"),
        ("(51) 8888-7777", "+55", "", "5551988887777"),
        ("+54 11 5555 5555", "+91", "", "5491155555555"),
        ("+54 9 11 5555-5555", "+91", "", "5491155555555"),
        ("011 15 5555-5555", "+54", "", "5491155555555"),
    ],
)
@pytest.mark.parametrize("check", CHECKS)
def test_a_number_is_one_person_however_it_is_written(
    raw: str, list_code: str, column: str, digits: str, check: str
) -> None:
    assert Phones(list_code, check).read(raw, column) == digits


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("1-800-FLOWERS", "letters"),
        ("99999 99990 x12", "extension"),
        ("99999 99990 ext. 4", "extension"),
        ("tel:+919999999990;ext=5", "extension"),
        ("99999 99990#7", "extension"),
        ("99999 99990 / 99999 99991", "two in one cell"),
        ("99999 99990, 99999 99991", "signs"),
        ("091-99999", "wrong number of digits"),
        ("99999 99990 1", "wrong number of digits"),
        ("99999-99990/1", "wrong number of digits"),
        ("0000000000", "wrong number of digits"),
        ("091", "\\+91"),
        ("+", "no phone number"),
        ("\u2066\u2069", "no phone number"),
        ("p:", "no phone number"),
    ],
)
def test_what_is_no_persons_number_is_refused_by_name(raw: str, why: str) -> None:
    with pytest.raises(BadPhone, match=why):
        Phones("+91", "possible").read(raw)


def test_a_check_refuses_but_never_makes_another_person() -> None:
    chance = random.Random(11)
    starts = [
        "",
        "0",
        "00",
        "+",
        "91",
        "091",
        "0091",
        "1",
        "44",
        "+1",
        "52",
        "+521",
        "5511",
        "54",
        "+54",
        "225",
    ]
    read = 0
    for start in starts:
        for _ in range(150):
            text = start + "".join(chance.choices("0123456789", k=chance.randint(6, 11)))
            found = set()
            for check in CHECKS:
                try:
                    found.add(Phones("+91", check).read(text))
                except BadPhone:
                    continue
            assert len(found) <= 1, text
            assert not any(digits.startswith("0") for digits in found), text
            read += len(found)
    assert read > 500


EQUAL = [
    ("5215512345678", "525512345678"),
    ("551188887777", "5511988887777"),
    ("553188887777", "5531988887777"),
    ("541155555555", "5491155555555"),
    ("542215555555", "5492215555555"),
]
DIFFERENT = [
    ("551133334444", "5511933334444"),  # a landline of Brazil is nobody's mobile
    ("5491155555555", "5491155555556"),
    ("525512345678", "15512345678"),
    ("521551234567", "52551234567"),
]


@pytest.mark.parametrize(("written", "number"), EQUAL)
def test_forms_of_one_person_are_one_hash_for_producers_and_workers(written: str, number: str) -> None:
    assert recipient_hash(written) == recipient_hash(number)
    assert producers.same_person(written) == phones.same_person(written) == number
    assert earlier_hashes(written) == earlier_hashes(number) != []
    code = phones.split(number)[0]
    payloads = [
        {"fullPhoneNumber": written},
        {"countryCode": f"+{code}", "phoneNumber": written.removeprefix(code)},
        {"countryCode": f"+{code}", "phoneNumber": number.removeprefix(code)},
    ]
    assert {recipient_of(payload) for payload in payloads} == {recipient_hash(number)}
    for payload in payloads:
        assert schemas.check("send_text", {**payload, "data": {"message": "x"}}) == []
    both = {"fullPhoneNumber": written, **payloads[2], "data": {"message": "x"}}
    assert [one.partition(":")[0] for one in schemas.check("send_text", both)] == ["fullPhoneNumber"]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_people_stay_two(one: str, other: str) -> None:
    assert recipient_hash(one) != recipient_hash(other)


def test_the_two_tables_of_forms_are_one() -> None:
    assert producers.FORMS == phones.FORMS
    chance = random.Random(2)
    for code, size in itertools.product(("52", "521", "54", "549", "55", "551"), range(8, 12)):
        digits = code + "".join(chance.choices("0123456789", k=size))
        assert producers.same_person(digits) == phones.same_person(digits)
        assert phones.same_person(phones.same_person(digits)) == phones.same_person(digits)


@pytest.mark.parametrize("phone", ["091-9999999990", "0919999999990", "+919999999990", "91 9999999990"])
def test_a_payload_with_more_than_digits_is_refused_by_name(phone: str) -> None:
    with pytest.raises(schemas.Invalid) as found:
        schemas.check("send_text", {"fullPhoneNumber": phone, "data": {"message": "x"}})
    assert list(found.value.errors) == ["fullPhoneNumber"]
    assert phone not in str(found.value)
