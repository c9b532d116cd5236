"""Is a mail an unsubscribe: one that a mail program, or a person, sends to leave a list?

The `mailto:` form of List-Unsubscribe (RFC 2369, 3.2) leaves subject and address to the sender of
the list: most name the wish in one of them, and many encode the recipient in the address. People
who answer a mail say it in words of their own (`unsubscribe.yaml`).
"""

import re
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import NamedTuple

from contactctl.responses.mail.addresses import find_address, find_addresses
from contactctl.responses.mail.anatomy import Anatomy
from contactctl.responses.mail.bounce import Naming
from contactctl.responses.mail.recognise import Impression

_SUBJECT = re.compile(
    r"(?:please )?(?:list-?)?(?:un-?subscribe|opt-?out)(?: me)?[.!]?(?:[ :]{1,3}\S{1,200})?",
    re.IGNORECASE,
)
# `unsub+kari=example.org`, `news-unsubscribe`, `news-leave`
_LOCAL_PART = re.compile(
    r"(?:(?P<list>[\w.+-]{1,64})[-.+])?"
    r"(?:(?:list[-_.]?)?(?:unsub(?:scribe)?|opt[-_.]?out)|abmelde(?:n|ung)|abbestell(?:en|ung)"
    r"|desabonnement|desinscription|afmeld(?:en|ing)|avmeld(?:ing)?|(?<=[-.+])(?:leave|remove))"
    r"(?:[-+_.=](?P<rest>.{1,200}))?",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?:.*[+])?(?P<local>[^=@]{1,64})=(?P<domain>[\w-]+(?:\.[\w-]+)+)")
_MAX_OWN_CHARACTERS = 400  # who writes more has something else to say as well
_MAX_NAME_WORDS = 5
_ADDRESSED = ("x-original-to", "delivered-to", "envelope-to", "to")


def unsubscriber(anatomy: Anatomy, naming: Naming) -> tuple[str, str | None] | None:
    """(who leaves, the list that the address names or None); None for any other mail."""
    headers = anatomy.headers
    impression = Impression(headers)
    if anatomy.status or anatomy.is_delivery_report or "x-failed-recipients" in headers:
        return None
    if impression.is_from_mail_system or impression.is_list_mail or impression.is_auto_reply:
        return None
    if impression.has_null_sender or headers.get("auto-submitted").lower().startswith("auto-repl"):
        return None
    values = [value for name in _ADDRESSED for value in headers.get_all(name)]
    local_parts = [
        address.rpartition("@")[0] for value in values for address in find_addresses(value)
    ]
    found = next(filter(None, map(_LOCAL_PART.fullmatch, local_parts)), None)
    subject = " ".join(impression.subject.split())
    is_asked = _SUBJECT.fullmatch(subject) or (
        not impression.has_bounce_subject and _is_said(subject, anatomy.said)
    )
    if found is None and not is_asked:
        return None
    who = naming.verp.first_recipient(values) if naming.verp else None
    who = who or (_encoded(found["rest"]) if found else None) or find_address(impression.sender)
    return (who, found["list"] if found else None) if who else None


def _encoded(rest: str | None) -> str | None:
    """The recipient in the rest of an address, `kari=example.org`."""
    match = _ENCODED.fullmatch(rest or "")
    return f"{match['local']}@{match['domain']}" if match else None


class _Words(NamedTuple):
    """`wish` and `subject`, which may be shorter, have courtesies around them."""

    courtesy: re.Pattern[str]
    wish: re.Pattern[str]
    subject: re.Pattern[str]
    end: re.Pattern[str]


@cache
def _words() -> _Words:
    import yaml  # noqa: PLC0415 (only mails of people need it)

    text = files("contactctl.responses.mail").joinpath("unsubscribe.yaml").read_text("utf-8")
    known = {
        name: "|".join(line for line in lines.splitlines() if line and not line.startswith("#"))
        for name, lines in yaml.safe_load(text).items()
    }
    courtesies = rf"(?:(?:{known['courtesies']})[\s,.!:;]*)*"
    wish, subject = (
        rf"{courtesies}(?:{each})[\s,.!]*{courtesies}"
        for each in (known["wishes"], f"{known['wishes']}|{known['subjects']}")
    )
    parts = (courtesies, wish, subject, known["ends"])
    return _Words(*(re.compile(part, re.IGNORECASE) for part in parts))


def _is_said(subject: str, said: str) -> bool:
    """Whether a person asks for no more mail, in a subject or above the mail that is answered, and
    says nothing else."""
    start = said[: 2 * _MAX_OWN_CHARACTERS].replace("\u2019", "'")
    own = [*takewhile(lambda line: not _words().end.match(line), map(str.strip, start.split("\n")))]
    if sum(map(len, own)) > _MAX_OWN_CHARACTERS:
        return False
    blocks = [" ".join(block.split()) for block in "\n".join(own).split("\n\n") if block.strip()]
    blocks = [block for block in blocks if not _words().courtesy.fullmatch(block)]
    if _words().subject.fullmatch(subject.replace("\u2019", "'")):
        return all(map(_is_wish_or_name, blocks))
    first, *others = blocks or [""]
    return bool(_words().wish.fullmatch(first)) and all(map(_is_wish_or_name, others))


def _is_wish_or_name(block: str) -> bool:
    if _words().subject.fullmatch(block):
        return True
    return len(block.split()) <= _MAX_NAME_WORDS and not any(mark in block for mark in "?:!")
