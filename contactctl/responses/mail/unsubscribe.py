"""Is a mail an unsubscribe: one that a mail program, or a person, sends to leave a list?

The `mailto:` form of List-Unsubscribe (RFC 2369, 3.2) leaves subject and address to the sender of
the list: most name the wish in one of them, and many encode the recipient in the address.
"""

import re

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
    r"(?:(?:list[-_.]?)?(?:unsub(?:scribe)?|opt[-_.]?out)|(?<=[-.+])(?:leave|remove))"
    r"(?:[-+_.=](?P<rest>.{1,200}))?",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?:.*[+])?(?P<local>[^=@]{1,64})=(?P<domain>[\w-]+(?:\.[\w-]+)+)")
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
    if found is None and not _SUBJECT.fullmatch(" ".join(impression.subject.split())):
        return None
    who = naming.verp.first_recipient(values) if naming.verp else None
    who = who or (_encoded(found["rest"]) if found else None) or find_address(impression.sender)
    return (who, found["list"] if found else None) if who else None


def _encoded(rest: str | None) -> str | None:
    """The recipient in the rest of an address, `kari=example.org`."""
    match = _ENCODED.fullmatch(rest or "")
    return f"{match['local']}@{match['domain']}" if match else None
