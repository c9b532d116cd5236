"""Is a mail a bounce? For mails without a delivery-status part, from who sent it and what it says.

Several independent signs are asked for, among them a mail system as the sender. Replies that quote
a bounce, newsletters, out-of-office replies and notices about parcels lack one or the other.
"""

import re

from contactctl.responses.mail.addresses import find_address
from contactctl.responses.mail.bounce_words import BOUNCE_SUBJECTS, BOUNCE_WORDS
from contactctl.responses.mail.message import Headers, header_text
from contactctl.responses.mail.words import AWAY_SUBJECTS, DELAY_WORDS, DELIVERED_WORDS, LURES

_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|mail[._-]?delivery)[\w.-]{0,40}", re.IGNORECASE
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)?[ -]?daemon|delivery (?:sub)?system|mmsc ndr|courier mail server"
    r"|mail deliver\w{0,2}\b(?! (?!service|agent|soft|fail|report|notif|status)[a-z])",
    re.IGNORECASE,
)
_ADMINISTRATOR = re.compile(
    r"poo?st_?master|mailmaster|mailmarshal|undeliverable|microsoftexchange[0-9a-f]{32}",
    re.IGNORECASE,
)
_ADMINISTRATOR_NAME = re.compile(
    r"postmaster|mail administrator|system administrator|mail system|content-filter", re.IGNORECASE
)
_REPLY = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|ynt|rif|res|fwd?|wg|tr|rv|enc|回复|答复|转发|返信)\s?"
    r"(?:\[\d{1,3}\])?\s?[:：]",
    re.IGNORECASE,
)
_LIST_FIELDS = ("list-unsubscribe", "list-id", "list-post")
_SMTP_ANSWER = re.compile(r"(?<![\d.])[45]\d\d[ -]{1,3}(?:#?[45]\.\d{1,3}\.\d|[a-z<])", re.I)
_REPORT_FIELD = re.compile(r"^Final-Recipient[ \t]?:", re.IGNORECASE | re.MULTILINE)
_MAX_CONSIDERED_CHARACTERS = 8_000


class Impression:
    """What the header fields of a mail tell about its kind."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self.subject = _straight(header_text(headers.get("subject"))[:500])
        self.sender = header_text(headers.get("from"))[:500]

    @property
    def is_from_daemon(self) -> bool:
        """Whether a delivery system is the sender."""
        return self._is_from(_DAEMON, _DAEMON_NAME) or not self.sender.strip("<> ")

    @property
    def is_from_administrator(self) -> bool:
        """Whether a postmaster is the sender, who also writes other mails."""
        return self._is_from(_ADMINISTRATOR, _ADMINISTRATOR_NAME)

    @property
    def is_reply(self) -> bool:
        """Whether the subject is that of a reply or a forwarded mail."""
        return bool(_REPLY.match(self.subject))

    @property
    def is_list_mail(self) -> bool:
        """Whether the mail came over a mailing list, or is a newsletter (RFC 2369, RFC 2919)."""
        return any(name in self._headers for name in _LIST_FIELDS)

    @property
    def has_null_sender(self) -> bool:
        """Whether the envelope sender was empty, as of bounces and automatic replies."""
        return self._headers.get("return-path") == "<>"

    def is_bounce(self, text: str) -> bool:
        """Whether these fields and the `text` of a mail without report parts make a bounce."""
        if self.is_list_mail:
            return False
        has_subject = _has_any(self.subject, BOUNCE_SUBJECTS)
        if not has_subject and _has_any(self.subject, AWAY_SUBJECTS):
            return False
        if _has_any(_straight(text), LURES) and not _SMTP_ANSWER.search(text):
            return False
        if self.is_from_daemon:
            return has_subject or _has_bounce_words(text)
        if self.is_from_administrator:
            signs = has_subject + _has_bounce_words(text) + bool(_SMTP_ANSWER.search(text))
            return signs >= 2 or (not self.is_reply and bool(_REPORT_FIELD.search(text)))
        is_returned = has_subject and self.has_null_sender and not self.is_reply
        has_answer = bool(_SMTP_ANSWER.search(text) or _REPORT_FIELD.search(text))
        return is_returned and has_answer and _has_bounce_words(text)

    def _is_from(self, local_part: re.Pattern[str], name: re.Pattern[str]) -> bool:
        address = find_address(self.sender)
        if address is None:
            bare = self.sender.strip('<> "')
            return bool(local_part.fullmatch(bare) or name.search(bare))
        rest = self.sender.replace(address, "")
        return bool(local_part.fullmatch(address.partition("@")[0]) or name.search(rest))


def tells_of_delay(subject: str, text: str) -> bool:
    """Whether the server says that it still tries."""
    return "(delay)" in subject or _has_any(_straight(text), DELAY_WORDS)


def tells_of_delivery(text: str) -> bool:
    """Whether the text speaks of success, and of no failure."""
    # sendmail adds a transcript to reports of success too
    text = _straight(text).replace("transcript of session", "")
    return _has_any(text, DELIVERED_WORDS) and not _has_any(text, BOUNCE_WORDS)


def _has_bounce_words(text: str) -> bool:
    return _has_any(_straight(text), BOUNCE_WORDS)


def _straight(text: str) -> str:
    text = text[:_MAX_CONSIDERED_CHARACTERS]
    return " ".join(text.lower().replace("\u2019", "'").replace("\u0307", "").split())


def _has_any(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)
