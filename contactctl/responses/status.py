"""Categories of enhanced status codes (RFC 3463, RFC 5248) and of SMTP reply codes (RFC 5321).

The fallback when no text rule applies. Whose problem is it, and does time heal it? The address,
for good: invalid-address. The mailbox, heals: transient. Servers, network, protocol:
communication-failure. The receiver's policy: blocked.
"""

import re

from contactctl.domain.responses import Category

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\Z")

_EXACT = {
    "4.1.1": Category.INVALID_ADDRESS,
    "5.3.2": Category.INVALID_ADDRESS,
    "5.4.4": Category.INVALID_ADDRESS,
}
_BY_SUBJECT_AND_DETAIL = {
    "1.7": Category.BLOCKED,
    "1.8": Category.BLOCKED,
    "1.9": Category.COMMUNICATION_FAILURE,
    "2.0": Category.BLOCKED,
    "2.4": Category.BLOCKED,
    "3.4": Category.TRANSIENT,
    "7.13": Category.TRANSIENT,
    "7.17": Category.INVALID_ADDRESS,
    "7.18": Category.INVALID_ADDRESS,
    "7.27": Category.INVALID_ADDRESS,
}
_BY_SUBJECT = {
    "0": Category.UNKNOWN,
    "1": Category.INVALID_ADDRESS,
    "2": Category.TRANSIENT,
    "3": Category.COMMUNICATION_FAILURE,
    "4": Category.COMMUNICATION_FAILURE,
    "5": Category.COMMUNICATION_FAILURE,
    "6": Category.BLOCKED,
    "7": Category.BLOCKED,
}
_BY_REPLY = {
    "421": Category.COMMUNICATION_FAILURE,
    "422": Category.TRANSIENT,
    "431": Category.COMMUNICATION_FAILURE,
    "432": Category.COMMUNICATION_FAILURE,
    "450": Category.UNKNOWN,
    "451": Category.COMMUNICATION_FAILURE,
    "452": Category.TRANSIENT,
    "454": Category.COMMUNICATION_FAILURE,
    "455": Category.COMMUNICATION_FAILURE,
    "500": Category.COMMUNICATION_FAILURE,
    "501": Category.COMMUNICATION_FAILURE,
    "502": Category.COMMUNICATION_FAILURE,
    "503": Category.COMMUNICATION_FAILURE,
    "504": Category.COMMUNICATION_FAILURE,
    "511": Category.INVALID_ADDRESS,
    "512": Category.INVALID_ADDRESS,
    "517": Category.BLOCKED,
    "521": Category.BLOCKED,
    "522": Category.TRANSIENT,
    "523": Category.TRANSIENT,
    "530": Category.BLOCKED,
    "534": Category.BLOCKED,
    "535": Category.BLOCKED,
    "538": Category.BLOCKED,
    "546": Category.COMMUNICATION_FAILURE,
    "550": Category.UNKNOWN,
    "551": Category.UNKNOWN,
    "552": Category.TRANSIENT,
    "553": Category.UNKNOWN,
    "554": Category.UNKNOWN,
    "556": Category.INVALID_ADDRESS,
    "571": Category.BLOCKED,
}


def status_category(status: str) -> Category | None:
    """The category of an enhanced status; None where it is none, or of class 2."""
    match = _STATUS.match(status)
    if match is None or match[1] == "2":
        return None
    class_, subject, detail = match.groups()
    exact = _EXACT.get(status) or _BY_SUBJECT_AND_DETAIL.get(f"{subject}.{detail}")
    if exact:
        return exact
    if class_ == "4" and subject == "1":
        return Category.COMMUNICATION_FAILURE
    return _BY_SUBJECT.get(subject)


def is_specific(status: str) -> bool:
    """Whether an enhanced status says one thing: not "other or undefined" (detail 0, RFC 3463),
    nor X.7.1, which servers send with any refusal."""
    match = _STATUS.match(status)
    return match is not None and match[1] != "2" and match[3] != "0" and not status.endswith(".7.1")


def reply_category(reply_code: str) -> Category | None:
    """The category of a three-digit reply code; UNKNOWN where a code may mean anything."""
    if reply_code in _BY_REPLY:
        return _BY_REPLY[reply_code]
    return Category.UNKNOWN if re.fullmatch(r"[45]\d\d", reply_code) else None
