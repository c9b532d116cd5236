"""The address that a bounce came to names the recipient (VERP)."""

import pytest

from contactctl.domain.errors import ConfigError
from contactctl.domain.responses import Category
from contactctl.responses.mail import VerpPattern
from helpers.mails import dsn, mail, response

VERP = VerpPattern.parse("bounce+{local}={domain}@sender.example")


@pytest.mark.parametrize("field", ["to", "delivered_to", "x_original_to"])
def test_verp_tells_the_original_recipient(field: str) -> None:
    address = "bounce+kari=example.org@sender.example"

    found = response(dsn("child@example.net", **{field: address}), verp=VERP)

    assert (found.recipient, found.original_recipient) == ("child@example.net", "kari@example.org")


def test_verp_finds_the_recipient_of_a_bounce_that_names_none() -> None:
    raw = mail(
        "Your mail could not be delivered. User unknown.",
        to="bounce+kari=example.org@sender.example",
    )

    found = response(raw, verp=VERP)

    assert (found.recipient, found.category) == ("kari@example.org", Category.INVALID_ADDRESS)


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ("bounce+kari=example.org@sender.example", "kari@example.org"),
        ("BOUNCE+kari=example.org@Sender.Example", "kari@example.org"),
        ("bounce+k=a=example.org@sender.example", "k=a@example.org"),
        ("bounce+kari@sender.example", None),
        ("other+kari=example.org@sender.example", None),
        ("bounce+kari=example.org@sender.example.evil", None),
        ("", None),
    ],
)
def test_verp_pattern(address: str, recipient: str | None) -> None:
    assert VERP.recipient(address) == recipient


def test_verp_dots_are_dots_and_stars_are_anything() -> None:
    pattern = VerpPattern.parse("b-*-{local}={domain}@a.example")

    assert pattern.recipient("b-17-kari=example.org@a.example") == "kari@example.org"
    assert pattern.recipient("b-17-kari=example.org@axexample") is None


@pytest.mark.parametrize(
    "template",
    [
        "",
        "bounce@x.example",
        "{local}@x",
        "{local}{local}={domain}@x",
        "{local}={domain}",
        "{local}={domain}@{x}",
    ],
)
def test_bad_verp_templates_are_config_errors(template: str) -> None:
    with pytest.raises(ConfigError, match="verp"):
        VerpPattern.parse(template)
