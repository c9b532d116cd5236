"""Kinds of evidence, each with variants in many languages and of many servers."""

from itertools import groupby

import pytest

from contactctl.domain.responses import NoResponse, Rejection, Response
from contactctl.responses.mail import read_mail
from helpers.mail_kinds import KindOfMail, kinds_of_mail
from helpers.mail_replies import mails_of_replies
from helpers.mails import CLASSIFIER

KINDS = kinds_of_mail()
TYPE_OF_OUTCOME = {"responses": Response, "rejected": Rejection, "nothing": NoResponse}


def by_file(mails: dict[str, KindOfMail]) -> dict[str, list[KindOfMail]]:
    """The mails of each file: a test for each mail would take longer."""
    groups = groupby(mails.values(), key=lambda mail: mail.name.partition("/")[0])
    return {file: list(group) for file, group in groups}


def what_is_wrong(mail: KindOfMail, raw: bytes) -> str:
    """What comes of a mail, where it is not as expected; empty where it is."""
    found = list(read_mail(raw, "mail.eml", CLASSIFIER))
    responses = [event for event in found if isinstance(event, Response)]
    is_right = (
        {type(event) for event in found} == {TYPE_OF_OUTCOME[mail.outcome]}
        and [one.recipient for one in responses] == [want.recipient for want in mail.expected]
        and all(
            one.category in want.categories and one.counts == want.counts
            for one, want in zip(responses, mail.expected, strict=True)
        )
    )
    said = [(one.recipient, str(one.category), one.rule) for one in responses] or found
    return "" if is_right else f"{mail.name}: {said}"


def test_every_kind_has_variants() -> None:
    names = {mail.kind for mail in KINDS.values()}

    assert len(KINDS) > 170
    assert all(sum(mail.kind == kind for mail in KINDS.values()) >= 5 for kind in names)


@pytest.mark.parametrize(("file", "mails"), by_file(KINDS).items())
def test_kind_of_mail(file: str, mails: list[KindOfMail]) -> None:
    assert list(filter(None, (what_is_wrong(mail, mail.raw) for mail in mails))) == []


def test_line_ends_change_nothing() -> None:
    crlf = ((mail, mail.raw.replace(b"\n", b"\r\n")) for mail in KINDS.values())

    assert list(filter(None, (what_is_wrong(mail, raw) for mail, raw in crlf))) == []


@pytest.mark.parametrize(("file", "mails"), by_file(mails_of_replies()).items())
def test_replies_in_the_bounces_of_other_servers(file: str, mails: list[KindOfMail]) -> None:
    assert list(filter(None, (what_is_wrong(mail, mail.raw) for mail in mails))) == []
