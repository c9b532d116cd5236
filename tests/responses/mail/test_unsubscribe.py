"""Mails that ask for no more mail, and what only looks like one."""

import pytest

from contactctl.domain.responses import Event, Rejection, Unsubscribe
from contactctl.responses.mail.addresses import VerpPattern
from helpers.mails import events


def read(fields: str, body: str = "", verp: VerpPattern | None = None) -> list[Event]:
    raw = f"{fields}\nDate: Mon, 24 Nov 2025 10:00:00 +0000\nMessage-ID: <m@x>\n\n{body}\n"
    return events(raw.encode(), verp=verp)


KARI = "kari@example.org"
FROM = f"From: Kari <{KARI}>\n"


@pytest.mark.parametrize(
    ("fields", "body", "who", "group"),
    [
        ("To: news@example.com\nSubject: unsubscribe", "", "kari@example.org", None),
        ("To: news@example.com\nSubject: UNSUBSCRIBE", "Sent by Gmail.", "kari@example.org", None),
        ("To: a@example.com\nSubject: Unsubscribe:3f9a/77", "", "kari@example.org", None),
        ("To: a@example.com\nSubject: please unsubscribe me.", "", "kari@example.org", None),
        ("To: a@example.com\nSubject: opt-out", "", "kari@example.org", None),
        ("To: a@example.com\nSubject: =?utf-8?b?VW5zdWJzY3JpYmU=?=", "", "kari@example.org", None),
        ("To: unsub+ola=example.net@n.example.com\nSubject: x", "", "ola@example.net", None),
        ("To: unsubscribe-ola=a.example.net@n.example.com", "", "ola@a.example.net", None),
        ("To: unsubscribe+1234@n.example.com\nSubject: ", "", "kari@example.org", None),
        ("To: news-unsubscribe@example.com\nSubject: x", "", "kari@example.org", "news"),
        ("To: news-leave@example.com\nSubject: (none)", "", "kari@example.org", "news"),
        ("To: optout@example.com\nSubject: x", "", "kari@example.org", None),
        (
            "To: x@example.com\nDelivered-To: unsubscribe@example.com",
            "",
            "kari@example.org",
            None,
        ),
    ],
)
def test_a_person_leaves(fields: str, body: str, who: str, group: str | None) -> None:
    [event] = read(FROM + fields, body)
    assert isinstance(event, Unsubscribe)
    assert (event.recipient, event.group, event.resubscribed) == (who, group, False)
    assert event.occurred_at is not None


SAID = [
    ("Abmeldung vom Newsletter", ""),
    ("abmelden!", "--\nFirma GmbH\nTel 123"),
    ("=?utf-8?q?D=C3=A9sinscription?=", ""),
    ("Darme de baja", "Gracias\n"),
    ("STOP SENDING ME EMAILS", "STOP!!!"),
    ("Re: November news", "Please unsubscribe me from this list. Thanks!\n\nKari\n\n> On Monday"),
    ("Re: news", "unsubscribe\n\nSent from my phone\n\n> Hello Kari"),
    (
        "AW: Angebote",
        "Guten Tag,\n\nbitte nehmen Sie mich aus\ndem Verteiler.\n\nMit freundlichen Grüßen\nKari"
        "\n\nAm 01.11.2026 um 10:00 schrieb News:\n> Hallo",
    ),
    ("Re: lettre", "Bonjour,\nMerci de me désinscrire de votre liste.\nCordialement"),
    ("", "unsubscribe news"),
    ("Re: news", "STOP"),
    ("Re: news", "Not interested. Please remove."),
    ("Re: news", "Please delete my account and do not contact me again."),
    ("Re: offerta", "Vi prego di cancellarmi dalla newsletter."),
    ("Re: oferta", "Proszę o wypisanie z newslettera."),
    ("Re: nabídka", "Prosím o odhlášení z newsletteru"),
    ("Re: новости", "Отпишите меня от рассылки, пожалуйста"),
    ("=?utf-8?b?6YWN5L+h5YGc5q2i?=", "配信停止をお願いします。"),
]


@pytest.mark.parametrize(("subject", "body"), SAID)
def test_a_person_says_so_in_words_of_their_own(subject: str, body: str) -> None:
    content = "Content-Type: text/plain; charset=utf-8"
    [event] = read(f"{FROM}To: news@example.com\nSubject: {subject}\n{content}", body)
    assert isinstance(event, Unsubscribe)
    assert event.recipient == "kari@example.org"


NOT_SAID = [
    ("Abmeldung", "Ich kann am Montag leider nicht zum Seminar kommen, wer will meinen Platz?"),
    ("Re: news", "Very interesting, thank you!\n\n> Unsubscribe"),
    ("Re: news", "Please unsubscribe my colleague bob@example.org, but keep me on the list."),
    ("Re: news", "Who can remove me from this list?"),
    ("Please do not unsubscribe me", ""),
    ("Fwd: news", "Look at this!\n\n---------- Forwarded message\nUnsubscribe"),
]


@pytest.mark.parametrize(("subject", "body"), NOT_SAID)
def test_who_says_something_else_stays(subject: str, body: str) -> None:
    events_ = read(f"{FROM}To: news@example.com\nSubject: {subject}", body)
    assert not any(isinstance(event, Unsubscribe) for event in events_)


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        ('From: "ola@example.net" <kari@example.org>\nSubject: unsubscribe', KARI),
        (f"{FROM}Subject: unsubscribe ola@example.net", "ola@example.net"),
        (f"{FROM}Subject: unsubscribe news@example.com", KARI),
    ],
)
def test_who_is_meant(fields: str, who: str) -> None:
    [event] = read(f"{fields}\nTo: news@example.com")
    assert isinstance(event, Unsubscribe)
    assert event.recipient == who


@pytest.mark.parametrize(
    ("fields", "body", "is_told"),
    [
        (f"{FROM}Subject: Re: news", "I never signed up for this. Unsubscribe.", True),
        (f"{FROM}Subject: How do I unsubscribe?", "", True),
        (f"{FROM}Subject: Re: Angebot", "Ich bestelle den Newsletter hiermit ab (abmelden)", True),
        (f"{FROM}Subject: Re: news", "Lovely!\n\n> Unsubscribe here", False),
        ("From: no-reply@shop.example\nSubject: How to unsubscribe", "", False),
        (f"{FROM}Subject: unsubscribe\nAuto-Submitted: auto-generated\nList-Id: <x>", "", False),
        (f"{FROM}Subject: You have been unsubscribed", "", False),
    ],
)
def test_what_may_be_a_wish_is_for_somebody_to_read(fields: str, body: str, is_told: bool) -> None:
    told = read(f"{fields}\nTo: news@example.com", body)
    assert [type(event) for event in told] == [Rejection] * is_told


def test_the_configured_address_form_says_who_leaves() -> None:
    verp = VerpPattern.parse("bye-{local}-at-{domain}@n.example.com")
    fields = f"{FROM}To: bye-ola-at-example.net@n.example.com\nSubject: unsubscribe"
    [event] = read(fields, verp=verp)
    assert isinstance(event, Unsubscribe)
    assert event.recipient == "ola@example.net"


@pytest.mark.parametrize(
    "fields",
    [
        "From: MAILER-DAEMON@mx.example.org\nTo: unsub@example.com\nSubject: Undelivered Mail",
        f"{FROM}To: unsub@example.com\nSubject: Out of office\nAuto-Submitted: auto-replied",
        f"{FROM}To: a@example.com\nSubject: unsubscribe\nList-Id: <x.example.org>",
        f"{FROM}To: leave@example.com\nSubject: Holiday",
        f"{FROM}To: remove@example.com\nSubject: Old files",
        f"{FROM}To: a@example.com\nSubject: Why people unsubscribe from newsletters",
        f"{FROM}To: a@example.com\nSubject: Your ticket about the unsubscribe page",
        f"Return-Path: <>\n{FROM}To: unsub@example.com\nSubject: gone",
    ],
)
def test_others_do_not(fields: str) -> None:
    assert not any(isinstance(event, Unsubscribe) for event in read(fields))
