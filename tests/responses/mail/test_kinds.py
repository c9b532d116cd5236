"""Kinds of evidence, each with variants in many languages and of many servers."""

import pytest

from contactctl.domain.responses import NoResponse, Rejection, Response
from contactctl.responses.mail import read_mail
from helpers.mail_kinds import KindOfMail, kinds_of_mail
from helpers.mail_replies import mails_of_replies
from helpers.mails import CLASSIFIER

KINDS = kinds_of_mail()
TYPE_OF_OUTCOME = {"responses": Response, "rejected": Rejection, "nothing": NoResponse}


def test_every_kind_has_variants() -> None:
    names = {mail.kind for mail in KINDS.values()}

    assert len(KINDS) > 170
    assert all(sum(mail.kind == kind for mail in KINDS.values()) >= 5 for kind in names)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mail", KINDS.values(), ids=KINDS)
def test_kind_of_mail(mail: KindOfMail, line_end: bytes) -> None:
    found = list(read_mail(mail.raw.replace(b"\n", line_end), "mail.eml", CLASSIFIER))

    assert {type(event) for event in found} == {TYPE_OF_OUTCOME[mail.outcome]}, found
    responses = [event for event in found if isinstance(event, Response)]
    assert [one.recipient for one in responses] == [want.recipient for want in mail.expected]
    for one, want in zip(responses, mail.expected, strict=True):
        assert one.category in want.categories, one
        assert one.counts == want.counts


REPLIES = mails_of_replies()


@pytest.mark.parametrize("mail", REPLIES.values(), ids=REPLIES)
def test_reply_in_the_bounce_of_another_server(mail: KindOfMail) -> None:
    found = list(read_mail(mail.raw, "mail.eml", CLASSIFIER))

    (one,) = [event for event in found if isinstance(event, Response)]
    (want,) = mail.expected
    assert (one.recipient, one.category in want.categories) == (want.recipient, True), one
