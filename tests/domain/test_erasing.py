"""Addresses in free text, in the coats they wear there."""

import pytest

from contactctl.domain.erasing import erase_from, erase_from_json, spellings

ANN = spellings("Ann@Example.com", "ann@example.com")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ann@example.com", "[erased]"),
        ("ANN@EXAMPLE.COM.", "[erased]."),
        ("550 <Ann@example.com>: no such user", "550 <[erased]>: no such user"),
        ("email = 'ann@example.com'", "email = '[erased]'"),
        ("email=ann@example.com", "email=[erased]"),
        ("email in ann@example.com,bob@x.no", "email in [erased],bob@x.no"),
        ("bounce+ann=example.com@returns.no", "bounce+[erased]@returns.no"),
        ("mailto:ann@example.com?x", "mailto:[erased]?x"),
        ("joann@example.com", "joann@example.com"),
        ("ann@example.com.au", "ann@example.com.au"),
        ("jo.ann@example.com", "jo.ann@example.com"),
        ("no address here", "no address here"),
    ],
)
def test_exactly_the_address_goes(text: str, left: str) -> None:
    assert erase_from(text, ANN) == left


def test_international_addresses_go_in_both_spellings() -> None:
    erased = spellings("Åsa@Bücher.example", "åsa@xn--bcher-kva.example")

    assert erase_from("åsa@bücher.example ÅSA@XN--BCHER-KVA.EXAMPLE", erased) == "[erased] [erased]"


def test_json_is_searched_in_depth_keys_included() -> None:
    value = {"a": ["x ann@example.com", 3, None], "ann@example.com": {"b": True}}

    assert erase_from_json(value, ANN) == {"a": ["x [erased]", 3, None], "[erased]": {"b": True}}
