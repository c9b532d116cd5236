"""Bounces in the dialects of many mail servers, in words of these tests."""

import pytest

from helpers.dialects.forms import KARI, NETWORK, plain
from helpers.dialects.mail_filters import MAIL_FILTERS
from helpers.dialects.mail_servers import MAIL_SERVERS
from helpers.dialects.mailbox_providers import MAILBOX_PROVIDERS
from helpers.dialects.prose import PROSE
from helpers.mails import dsn, responses

DIALECTS = MAIL_SERVERS | MAILBOX_PROVIDERS | MAIL_FILTERS | PROSE


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("name", DIALECTS)
def test_dialect(name: str, line_end: bytes) -> None:
    raw, expected = DIALECTS[name]

    found = responses(raw.replace(b"\n", line_end))

    assert [(one.recipient, one.category.value) for one in found] == expected


DELAYS = {
    "typed": dsn(action="delayed", status="4.4.1", diagnostic="smtp; connect: No route to host"),
    "typed-capitals": dsn(action="Delayed", status="4.4.0 (other)", diagnostic=""),
    "gmail": plain(
        "THIS IS A WARNING MESSAGE ONLY.\n\nDelivery to the following recipient has been delayed:"
        f"\n\n     {KARI}\n\nMessage will be retried for 2 more day(s)\n",
        subject="Delivery Status Notification (Delay)",
    ),
    "exim": plain(
        "A message that you sent has not yet been delivered to one or more of its recipients\n"
        f"The address to which the message has not yet been delivered is:\n\n  {KARI}\n"
        "    Delay reason: connection timed out\n",
        subject="Warning: message 1abc delayed 24 hours",
    ),
    "opensmtpd": plain(
        f"A message is delayed for more than 10 minutes:\n\n{KARI}: Network error on destination "
        "MXs\n\nPlease note that this is only a temporary failure report.\n",
    ),
}


@pytest.mark.parametrize("name", DELAYS)
def test_delay_is_recorded_and_not_counted(name: str) -> None:
    (found,) = responses(DELAYS[name])

    assert (found.recipient, found.category.value) == (KARI, NETWORK)
    assert (found.counts, found.not_counted) == (False, "delayed")


FORWARDED = "kari@elsewhere.example"
LED_FROM = {
    "exim": f"{FORWARDED}\n    (generated from {KARI})\n    Unrouteable address\n",
    "exim, two steps": f"  {FORWARDED}\n    (ultimately generated from {KARI})\n    unknown user\n",
    "postfix": f"<{FORWARDED}> (expanded from <{KARI}>): unknown user: kari\n",
    "sendmail": f"<{FORWARDED}>\n    (reason: 550 5.1.1 User unknown)\n"
    f"    (expanded from: <{KARI}>)\n",
}
FAILED = "The following address(es) failed:\n\n  "


@pytest.mark.parametrize("name", LED_FROM)
def test_a_forwarded_address_is_known_by_the_address_that_led_to_it(name: str) -> None:
    (found,) = responses(plain(FAILED + LED_FROM[name]))

    assert (found.recipient, found.original_recipient) == (FORWARDED, KARI)
    assert found.through == FORWARDED


def test_of_a_secret_address_the_one_that_led_to_it_failed() -> None:
    secret = f"an undisclosed address\n    (generated from {KARI})\n    Unrouteable address\n"

    found = responses(plain(f"{FAILED}a@b.example\n    mailbox is full\n  {secret}"))

    assert [(each.recipient, each.category.value) for each in found] == [
        ("a@b.example", "transient"),
        (KARI, "invalid-address"),
    ]
