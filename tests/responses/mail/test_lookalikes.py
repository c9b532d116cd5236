"""Mails that resemble bounces and are none: nothing may come of them."""

import pytest

from helpers.mails import arf, dsn, events, mail, multipart

BOUNCE_TEXT = """I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<kari@example.org>: host mx.example.org[192.0.2.1] said: 550 5.1.1
    <kari@example.org>: Recipient address rejected: User unknown"""

DSN_TEXT = """Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; kari@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown"""

QUOTED = "\n".join(f"> {line}" for line in f"{BOUNCE_TEXT}\n{DSN_TEXT}".splitlines())
KARI = "Kari Nordmann <kari@example.org>"

AWAY = {
    "english": ("Out of Office: spring sale", "I am out of the office until Monday."),
    "english-automatic": ("Automatic reply: spring sale", "I have limited access to email."),
    "german": ("Automatische Antwort: Frühling", "Ich bin bis Montag nicht im Büro."),
    "german-absence": ("Abwesenheitsnotiz", "Ihre Nachricht wird nicht weitergeleitet."),
    "french": ("Réponse automatique : soldes", "Je suis absent jusqu'au 9 mars."),
    "french-absence": ("Absence du bureau", "Votre message n'a pas pu être lu."),
    "spanish": ("Respuesta automática: rebajas", "Estoy fuera de la oficina."),
    "italian": ("Risposta automatica: saldi", "Sono fuori sede fino a lunedì."),
    "portuguese": ("Resposta automática: promoção", "Estou ausente até segunda-feira."),
    "dutch": ("Automatisch antwoord: uitverkoop", "Ik ben afwezig tot maandag."),
    "swedish": ("Autosvar: vårrea", "Jag är på semester."),
    "norwegian": ("Fraværende: vårsalg", "Jeg er tilbake mandag."),
    "danish": ("Autosvar: forårsudsalg", "Jeg er på ferie."),
    "polish": ("Automatyczna odpowiedź: wyprzedaż", "Jestem nieobecny."),
    "russian": ("Автоответ: распродажа", "Я в отпуске до понедельника."),
    "japanese": ("自動応答: セール", "ただいま不在にしております。"),
    "chinese": ("自动回复: 促销", "我正在休假。"),
}

QUOTING_REPLIES = {
    "angle-brackets": ("Re: Undelivered Mail Returned to Sender", f"What is this?\n\n{QUOTED}"),
    "german-reply": ("AW: Unzustellbar: Frühling", f"Bitte prüfen.\n\n{QUOTED}"),
    "forwarded": ("Fwd: Returned mail: see transcript", f"FYI\n\n{BOUNCE_TEXT}\n\n{DSN_TEXT}"),
    "top-posted-without-quotes": (
        "RE: Undeliverable: spring sale",
        f"Stop.\n\n-----Original Message-----\nFrom: postmaster\n\n{BOUNCE_TEXT}\n{DSN_TEXT}",
    ),
    "inline": ("Re: failure notice", f"My mailbox is full?\n{BOUNCE_TEXT}\nI do not think so."),
    "new-subject": ("550 5.1.1 user unknown, help!", f"We see this:\n\n{BOUNCE_TEXT}"),
    "undeliverable-subject": ("Undeliverable mail", f"I get these all day:\n{BOUNCE_TEXT}"),
    "support-ticket": ("[Ticket 4711] Mail delivery failed", f"Customer says:\n\n{BOUNCE_TEXT}"),
}

NEWSLETTERS = {
    "how-to-fix-bounces": (
        "Delivery failed? How to lower your bounce rate",
        "A hard bounce (550 5.1.1 user unknown) means that the mailbox does not exist.",
    ),
    "mail-provider-status": (
        "Mail delivery: incident report",
        "Messages could not be delivered to kari@example.org between 10:00 and 11:00.",
    ),
    "digest": ("Daily digest", "Topic: User unknown errors. kari@example.org wrote: no such user"),
    "sale": ("Spring sale: last day!", "Everything must go. Unsubscribe: kari@example.org"),
}

PLAIN_NOTICES = {
    "parcel-not-delivered": (
        "Parcels <noreply@parcels.example>",
        "Delivery failed: your parcel 00340 could not be delivered",
        "We were unable to deliver your parcel to kari@example.org's address. Undeliverable.",
    ),
    "parcel-returned": (
        "Parcels <noreply@parcels.example>",
        "Returned to sender: order 4711",
        "Your parcel was returned to sender. The recipient was not found at the address.",
    ),
    "parcel-delayed": (
        "Parcels <noreply@parcels.example>",
        "Delivery delayed",
        "Your delivery has been delayed. Delivery will be retried tomorrow.",
    ),
    "parcel-german": (
        "Paket <info@paket.example>",
        "Ihre Sendung ist unzustellbar",
        "Das Paket konnte nicht zugestellt werden.",
    ),
    "abandoned-cart": (
        "Shop <shop@shop.example>",
        "Your cart is about to expire",
        "Payment failed, your order could not be delivered to kari@example.org.",
    ),
    "fax-failure": (
        "Fax <fax@fax.example>",
        "Delivery failure: fax to +47 55 01 50 34",
        "The fax was not delivered after 3 attempts (error 550).",
    ),
    "password-reset": ("Shop <noreply@shop.example>", "Reset your password", "Hi kari@example.org"),
    "calendar-accepted": (KARI, "Accepted: Budget meeting", "kari@example.org has accepted."),
    "calendar-declined": (KARI, "Declined: Delivery report meeting", "I cannot attend."),
    "calendar-cancelled": (KARI, "Cancelled: Mail delivery review", "The meeting is cancelled."),
    "moderation": (
        "cats-bounces@lists.example",
        "Your message to Cats awaits moderator approval",
        "Your mail to 'Cats' is being held. Reason: post by non-member kari@example.org.",
    ),
    "list-rejection-by-owner": (
        "cats-owner@lists.example",
        "Request to mailing list Cats rejected",
        "Your request has been rejected by the list moderator.",
    ),
    "list-confirmation": (
        "cats-request@lists.example",
        "confirm 0123456789abcdef",
        "We have received a request for subscription of kari@example.org.",
    ),
    "subscription-welcome": ("news@news.example", "Welcome!", "kari@example.org is subscribed."),
    "unsubscribed": ("news@news.example", "You are unsubscribed", "kari@example.org is removed."),
    "challenge-response": (
        KARI,
        "Please confirm your message",
        "Your message to kari@example.org is held until you reply to this challenge.",
    ),
    "spam-quarantine-digest": (
        "Quarantine <quarantine@filter.example>",
        "Quarantine summary: 3 messages blocked",
        "kari@example.org: 3 messages rejected as spam.",
    ),
    "security-alert": ("Bank <alert@bank.example>", "Mail rejected?", "No such user logged in."),
    "human-bounce-question": (
        KARI,
        "Delivery problem",
        "Did my mail to you reach you? It bounced.",
    ),
    "human-moved": (
        KARI,
        "New address",
        "This address is no longer in use, write to k@example.net",
    ),
    "empty-body": (KARI, "hello", ""),
}

FROM_POSTMASTERS = {
    "dmarc-aggregate": ("Report Domain: sender.example", "This is a DMARC aggregate report."),
    "quota-warning-to-us": ("Your mailbox is 80 % full", "Please delete old mails."),
    "maintenance": ("Maintenance on Sunday", "The mail servers will be down for an hour."),
    "policy": ("New terms", "Mails that break our policy are rejected."),
    "one-sign-in-the-subject": ("Mail delivery: new servers", "We move to a new house."),
    "one-sign-in-the-text": (
        "Sunday",
        "Until noon, mail to kari@example.org will not be delivered.",
    ),
    "one-answer-in-the-text": ("Error codes", "kari@example.org asked what 550 5.1.1 means."),
    "away": (
        "Out of office",
        "I am away. Mails to kari@example.org that could not be delivered (550 5.1.1) must wait.",
    ),
    "answers-a-report": (
        "Re: your question",
        "See here:\n\nFinal-Recipient: rfc822; kari@example.org\nAction: failed\nStatus: 4.4.1",
    ),
    "delivery-receipt": (
        "Delivery receipt",
        "Your message was successfully delivered to kari@example.org.",
    ),
}

RECEIPT = (
    "Reporting-UA: mua.example\nOriginal-Recipient: rfc822;kari@example.org\n"
    "Final-Recipient: rfc822;kari@example.org\nDisposition: manual-action/MDN-sent-manually; "
)

REPORTS = {
    "receipt-displayed": multipart(
        ("text/plain", "Your message was displayed."),
        ("message/disposition-notification", f"{RECEIPT}displayed\n"),
        report_type="disposition-notification",
        sender=KARI,
        subject="Read: spring sale",
    ),
    "receipt-deleted": multipart(
        ("text/plain", "Your message was deleted without being read."),
        ("message/disposition-notification", f"{RECEIPT}deleted\n"),
        report_type="disposition-notification",
        sender=KARI,
        subject="Not read: spring sale",
    ),
    "receipt-from-daemon": multipart(
        ("text/plain", "Your message to <kari@example.org> was not delivered? No: displayed."),
        ("message/disposition-notification", f"{RECEIPT}displayed\n"),
        report_type="disposition-notification",
        subject="Disposition notification",
    ),
    "dsn-delivered": dsn(action="delivered", status="2.0.0", diagnostic="smtp; 250 OK"),
    "dsn-relayed": dsn(action="relayed", status="2.0.0", diagnostic=""),
    "dsn-expanded": dsn(action="expanded", status="2.0.0", diagnostic=""),
    "dsn-deliverable": dsn(action="deliverable", status="2.1.5", diagnostic="smtp; 250 2.1.5 Ok"),
    "dsn-delivered-untyped": mail(
        "Enclosed is the report.\n\nFinal-Recipient: rfc822; kari@example.org\n"
        "Action: relayed\nStatus: 2.0.0\n",
        subject="Mail Delivery Status Report",
    ),
    "success-in-prose": mail(
        "Your message was successfully delivered to <kari@example.org>.",
        subject="Delivery Notification: Delivery has been successful",
    ),
    "arf-not-spam": arf("not-spam"),
    "arf-auth-failure": arf("auth-failure"),
    "arf-dmarc": arf("dmarc"),
    "bounce-forwarded-as-attachment": mail(
        f"--b\nContent-Type: text/plain\n\nSee attached.\n--b\nContent-Type: message/rfc822\n\n"
        f"From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered\n\n{BOUNCE_TEXT}\n--b--\n",
        sender=KARI,
        subject="Fwd: Undelivered Mail",
        content_type="multipart/mixed; boundary=b",
    ),
}


def _lookalikes() -> dict[str, bytes]:
    found = dict(REPORTS)
    for name, (subject, text) in AWAY.items():
        body = f"{text}\n\nYour mail to kari@example.org could not be delivered to me yet."
        found[f"away-{name}"] = mail(
            body, sender=KARI, subject=subject, auto_submitted="auto-replied", return_path="<>"
        )
    for name, (subject, text) in QUOTING_REPLIES.items():
        found[f"quoting-{name}"] = mail(text, sender=KARI, subject=subject)
        found[f"quoting-{name}-in-thread"] = mail(
            text,
            sender=KARI,
            subject=subject,
            in_reply_to="<1@x.example>",
            references="<1@x.example>",
        )
        found[f"quoting-{name}-with-null-sender"] = mail(
            text, sender=KARI, subject=f"Re: {subject}", return_path="<>"
        )
    for name, (subject, text) in NEWSLETTERS.items():
        found[f"newsletter-{name}"] = mail(
            text,
            sender="News <news@news.example>",
            subject=subject,
            list_unsubscribe="<mailto:u@x>",
        )
        found[f"newsletter-{name}-from-postmaster"] = mail(
            text, sender="postmaster@news.example", subject=subject, list_id="<news.example>"
        )
    for name, (sender, subject, text) in PLAIN_NOTICES.items():
        found[f"notice-{name}"] = mail(text, sender=sender, subject=subject)
    for name, (subject, text) in FROM_POSTMASTERS.items():
        found[f"postmaster-{name}"] = mail(
            text, sender="Postmaster <postmaster@example.org>", subject=subject
        )
    return found


LOOKALIKES = _lookalikes()


def test_there_are_at_least_sixty() -> None:
    assert len(LOOKALIKES) >= 60


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalike_gives_nothing(name: str) -> None:
    assert events(LOOKALIKES[name]) == []


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_lookalikes_with_other_line_ends_give_nothing(line_end: bytes) -> None:
    found = [name for name, raw in LOOKALIKES.items() if events(raw.replace(b"\n", line_end))]
    assert found == []


def test_the_same_text_from_a_mail_daemon_is_a_bounce() -> None:
    assert len(events(mail(BOUNCE_TEXT))) == 1
