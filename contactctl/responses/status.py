"""Enhanced status codes (RFC 3463, RFC 5248) and SMTP reply codes (RFC 5321): found in texts, and
their categories.

The fallback when no text rule applies; the codes are in `codes.yaml`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from contactctl.domain.responses import Category
from contactctl.responses.data import read_data

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\Z")
_REPLY = re.compile(r"[45]\d\d\Z")

_SMTP_REPLY = re.compile(
    r"(?<![\d.])([45]\d\d)(?:[ -]|(?=#))['(#]{0,2}(?:([245]\.\d{1,3}\.\d{1,3})(?![\d.]))?"
)
_ENHANCED = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")


def find_codes(text: str) -> tuple[str, str]:
    """Reply code and enhanced status in a text; each empty where it has none."""
    reply = _SMTP_REPLY.search(text)
    if reply and reply[2]:
        return reply[1], reply[2]
    enhanced = _ENHANCED.search(text)
    return (reply[1] if reply else ""), (enhanced[1] if enhanced else "")


def codes_of(status: str) -> tuple[str, str]:
    """Reply code and enhanced status of a text that is given as a status: `5.1.1`, `550`,
    `5.1.1 (bad destination mailbox address)`, `550 5.1.1`. A text without codes stays a status."""
    if not status or _ENHANCED.fullmatch(status):
        return "", status
    if len(status) == 3 and status.isdecimal():
        return status, ""
    reply_code, enhanced = find_codes(status)
    return reply_code, enhanced or ("" if reply_code else status)


def status_category(status: str) -> Category | None:
    """The category of an enhanced status; None where it is none, or of class 2."""
    match = _STATUS.match(status)
    if match is None or match[1] == "2":
        return None
    class_, subject, detail = match.groups()
    known = _categories("statuses")
    forms = (status, f"{subject}.{detail}", f"{class_}.{subject}.", subject)
    return next((known[form] for form in forms if form in known), None)


def is_specific(status: str) -> bool:
    """Whether an enhanced status says one thing: not "other or undefined" (detail 0, RFC 3463),
    nor X.7.1, which servers send with any refusal."""
    match = _STATUS.match(status)
    return match is not None and match[1] != "2" and match[3] != "0" and not status.endswith(".7.1")


def reply_category(reply_code: str) -> Category | None:
    """The category of a three-digit reply code; UNKNOWN where a code may mean anything."""
    if not _REPLY.match(reply_code):
        return None
    return _categories("replies").get(reply_code, Category.UNKNOWN)


@cache
def _categories(kind: str) -> Mapping[str, Category]:
    by_category: Mapping[str, Sequence[str | int]] = read_data("codes.yaml")[kind]
    return {str(code): Category(slug) for slug, codes in by_category.items() for code in codes}
