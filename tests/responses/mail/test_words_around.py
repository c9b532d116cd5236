"""What stands around an address or a reason: other scripts, table cells, footers, lures."""

import pytest

from contactctl.domain.responses import Rejection
from contactctl.responses.mail.addresses import find_addresses, without_text_around
from contactctl.responses.mail.message import text_of_html
from helpers.mails import events, mail, response


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("无法发送到kari@example.org", "kari@example.org"),
        ("kari@example.org不存在", "kari@example.org"),
        ("収信者:kari@example.orgです", "kari@example.org"),
        ("받는사람kari@example.org", "kari@example.org"),
        ("kåre@bø.example", "kåre@bø.example"),
        ("山田@例え.example", "山田@例え.example"),
        ("kari@example.org", "kari@example.org"),
    ],
)
def test_words_without_spaces_are_no_part_of_an_address(written: str, address: str) -> None:
    assert find_addresses(written) == [address]
    assert without_text_around(address) == address


def test_cells_of_a_table_are_apart() -> None:
    assert text_of_html("<tr><td>to</td><td>kari@example.org</td></tr>").split() == [
        "to",
        "kari@example.org",
    ]


@pytest.mark.parametrize(
    "footer",
    [
        "--\nOur spam policy: https://mx.example.net/policy",
        "This e-mail was checked for viruses by X.",
        "Diese E-Mail wurde von X auf Viren geprüft.",
        "Scanned by an antivirus.\nRejected mails: see our policy.",
    ],
)
def test_footers_do_not_explain(footer: str) -> None:
    raw = mail(
        f"Your mail could not be delivered.\n\nTo: kari@example.org\nUser unknown\n\n{footer}"
    )

    assert response(raw).category == "invalid-address"


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("Mail Administrator <admin@phish.example>", "Undelivered messages"),
        ("Mail Delivery System <mailer-daemon@phish.example>", "Mail delivery failed"),
        ("postmaster@phish.example", "Delivery failure: 5 messages"),
    ],
)
def test_phishing_that_looks_like_a_bounce_gives_nothing(sender: str, subject: str) -> None:
    text = (
        "5 mails to kari@example.org could not be delivered: mailbox full. Click here to sign in."
    )

    assert events(mail(text, sender=sender, subject=subject)) == []


def test_a_bounce_may_ask_to_click_where_a_server_answered() -> None:
    raw = mail("Not delivered.\n\nkari@example.org: 550 5.1.1 User unknown\n\nFor help click here.")

    assert response(raw).category == "invalid-address"


def test_returned_mail_of_an_unknown_sender_needs_a_server_s_answer() -> None:
    subject, sender = "Undeliverable: spring sale", "Relay <noreply@relay.example>"
    said = "Your message to kari@example.org could not be delivered."
    answered = f"{said}\n\n550 5.1.1 User unknown"

    (doubtful,) = events(mail(said, sender=sender, subject=subject, return_path="<>"))
    assert isinstance(doubtful, Rejection)
    found = response(mail(answered, sender=sender, subject=subject, return_path="<>"))
    assert found.recipient == "kari@example.org"
