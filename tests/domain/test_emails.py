"""Which addresses are accepted, and which are the same contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.emails import email_key, parse_email

# of every range of Default_Ignorable_Code_Point its ends
IGNORABLE_SAMPLES = [
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180f\u200b\u200f\u202a\u202e\u2060",
    *"\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\ufff8\U0001bca0\U0001d173\U000e0001\U000e0fff",
]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("anna@example.com", "anna@example.com"),
        ("  Anna.B+x@Example.COM \t", "anna.b+x@example.com"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.Example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
        ("ÆØÅ@example.com", "æøå@example.com"),
        ("a@sub-domain.example", "a@sub-domain.example"),
        ("a@a--b.example", "a@a--b.example"),
        ("=cmd|x@example.com", "=cmd|x@example.com"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
    ],
)
def test_the_key_of_an_accepted_address(text: str, key: str) -> None:
    address = parse_email(text)
    assert address.key == email_key(text) == key
    assert address.email == text.strip()
    assert address.domain == key.partition("@")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "anna",
        "@example.com",
        "anna@",
        "anna@localhost",
        "anna@@example.com",
        "anna@example.com, bo@example.com",
        "anna@example.com;bo@example.com",
        "an na@example.com",
        ".anna@example.com",
        "anna.@example.com",
        "an..na@example.com",
        "anna@example..com",
        "anna@-example.com",
        "anna@example-.com",
        "anna@exa_mple.com",
        "ann\ufffd@example.com",
        "anna@192.168.0.1",
        "anna@[192.168.0.1]",
        '"anna b"@example.com',
        "Anna <anna@example.com>",
        "anna@example.com, bo@example.com",
        "anna@example.com\nbcc:x@example.com",
        "anna\x00@example.com",
        "anna\x1b[31m@example.com",
        "anna\u202e@example.com",
        "anna\ud800@example.com",
        "anna@xn--a.com",
        "anna@exam\u00a0ple.com",
        f"{'a' * 65}@example.com",
        f"{'é' * 33}@example.com",
        f"anna@{'a' * 64}.com",
        f"anna@{'.'.join(['abcdefghi'] * 25)}.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|domain|part before"):
        parse_email(text)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        key = email_key(text)
    except ValueError:
        return
    assert email_key(key) == key


@given(st.from_regex(r"[A-Za-z0-9.+_-]{1,12}@[A-Za-z0-9.-]{1,20}", fullmatch=True))
def test_the_fast_way_and_the_thorough_way_agree(text: str) -> None:
    from contactctl.domain.emails import _checked_key, _plain_key

    plain = _plain_key(text)
    if plain is not None:
        assert _checked_key(text) == plain


def test_invisible_characters_are_dropped_at_the_ends_and_named_inside() -> None:
    assert parse_email("\ufeff\u200banna@example.com\u2060 ").email == "anna@example.com"
    with pytest.raises(ValueError, match=r"U\+00AD SOFT HYPHEN \(character 3\)"):
        email_key("an\u00adna@example.com")


@given(st.sampled_from(IGNORABLE_SAMPLES), st.integers(1, 15))
def test_no_ignorable_character_makes_a_second_contact(character: str, place: int) -> None:
    address = "anna@example.com"
    assert email_key(character + address + character) == address
    with pytest.raises(ValueError, match=f"U\\+{ord(character):04X} .*character {place + 1}\\)"):
        email_key(address[:place] + character + address[place:])
