"""Is a mail a bounce? By what it is made of, who sent it and what it says.

A typed report, or the header field that names failed recipients, is a bounce. Without them
several independent signs are asked for, most of all a mail system as the sender. Replies that
quote a bounce, newsletters, out-of-office replies, statistics and phishing lack one or the other.
"""

import re
from functools import lru_cache
from typing import NamedTuple, Protocol

from contactctl.responses.data import holds_any
from contactctl.responses.mail.addresses import find_address
from contactctl.responses.mail.message import Headers, header_text

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
    r"postmaster|mail administrator|system administrator|mail system|content-filter"
    r"|(?:mail|smtp|message|messaging) ?(?:server|gateway|service|delivery|router)"
    r"|post office|undeliver|non-?delivery|mail transfer agent",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|ynt|rif|res|fwd?|wg|tr|rv|enc|回复|答复|转发|返信)\s?"
    r"(?:\[\d{1,3}\])?\s?[:：]",
    re.IGNORECASE,
)
_DELIVERED = re.compile(
    r"\s*(?:delivered|relayed|expanded|zugestellt|weitergeleitet|remis|entregado|entregue|consegnato|accettazione|consegna"
    r"|recapitato|afgeleverd|bezorgd|levererat|levert|leveret|toimitettu|dostarczono|doručeno"
    r"|kézbesítve|livrat|teslim edildi|доставлено|配信済み|已送达|已送達|배달됨)\s?[:：]",
    re.IGNORECASE,
)
_TICKET = re.compile(
    r"[\[(][^\])]{0,30}\d[^\])]{0,10}[\])]|\b(?:ticket|case|request) ?(?:id|no\.?)?[ :#]{1,3}\d"
)
_LIST_FIELDS = ("list-unsubscribe", "list-id", "list-post")
_AUTO_REPLY_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-vacation")
_LINK = re.compile(r"https?://", re.IGNORECASE)
_SMTP_ANSWER = re.compile(r"(?<![\d.])[45]\d\d[ -]{1,3}(?:#?[45]\.\d{1,3}\.\d|[a-z<])", re.I)
_ANSWER_LINE = re.compile(r"(?:^[ \t<>*|-]{0,10}|[:;(\"'] ?)[45]\d\d[ -]", re.MULTILINE)
_REPORT_FIELD = re.compile(r"^Final-Recipient[ \t]?:", re.IGNORECASE | re.MULTILINE)
_MAX_CONSIDERED_CHARACTERS = 8_000


class Nature(NamedTuple):
    """What a mail is: a bounce, or else what it is instead; in doubt somebody must look."""

    is_bounce: bool
    otherwise: str = ""
    is_doubtful: bool = False


class Findings(Protocol):
    """What the parts and the text of a mail hold; looked for only when it matters."""

    def came_back(self) -> bool:
        """Whether the sender's own mail came with it, and its recipient is named."""

    def names_entry(self) -> bool:
        """Whether an address opens a line, as failed ones do."""

    def names_one(self) -> bool:
        """Whether the text names one address only, and it opens a line."""

    def calls_by_name(self) -> bool:
        """Whether the text names an address, and calls its owner by the name that is in it."""

    def own_came_back(self) -> bool:
        """As `came_back`, and the returned mail is by somebody of the reader's domain."""

    def gives_reason(self) -> bool:
        """Whether an address is named, and a reason that a rule of classification knows."""


BOUNCE = Nature(is_bounce=True)


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
    def is_from_mail_system(self) -> bool:
        """Whether a delivery system or a postmaster is the sender."""
        return self.is_from_daemon or self.is_from_administrator

    @property
    def is_reply(self) -> bool:
        """Whether the subject is that of a reply or a forwarded mail, or has a case's number."""
        return bool(_REPLY.match(self.subject))

    @property
    def tells_of_success(self) -> bool:
        """Whether the subject is that of a report of success: "Delivered: Autumn"."""
        return bool(_DELIVERED.match(self.subject))

    @property
    def is_list_mail(self) -> bool:
        """Whether the mail came over a mailing list, or is a newsletter (RFC 2369, RFC 2919)."""
        return any(name in self._headers for name in _LIST_FIELDS)

    @property
    def has_null_sender(self) -> bool:
        """Whether the envelope sender was empty, as of bounces and automatic replies."""
        return self._headers.get("return-path").replace(" ", "") == "<>"

    @property
    def _is_from_a_person(self) -> bool:
        """Whether somebody may be written back to: an envelope sender, or no mail system."""
        has_sender = bool(self._headers.get("return-path")) and not self.has_null_sender
        return has_sender or not self.is_from_mail_system

    @property
    def has_bounce_subject(self) -> bool:
        """Whether the subject is one that mail systems write over bounces."""
        return holds_any(self.subject, "bounce_subjects")

    @property
    def is_auto_reply(self) -> bool:
        """Whether a person's program answers, and no mail system."""
        if any(name in self._headers for name in _AUTO_REPLY_FIELDS):
            return True
        may_be_bounce = self.has_bounce_subject and self.is_from_mail_system
        return not may_be_bounce and holds_any(self.subject, "away_subjects")

    def rejects(self, text: str) -> bool:
        """Whether a mail that is typed as a receipt says that the recipient's server or filter
        rejected ours (RFC 5429, 2.1.2)."""
        is_told = self.has_bounce_subject and _has_bounce_words(text)
        return self.is_from_mail_system and is_told

    def nature(self, text: str, findings: Findings) -> Nature:
        """What a mail without report parts is, by these fields and by its `text`."""
        has_answer = bool(_SMTP_ANSWER.search(text))
        excluded = self._excluded(text, has_answer)
        if excluded:
            return Nature(False, excluded)
        signs = self.has_bounce_subject + has_answer + _has_bounce_words(text)
        if self.is_from_daemon:
            is_bounce = signs > 0 or self._is_told_by(findings)
        elif _TICKET.search(self.subject) and not findings.came_back():
            return Nature(False, "an answer of a help desk")
        elif self.is_from_administrator:
            is_bounce = self._is_bounce_of_administrator(signs, text, findings)
        else:
            is_bounce = self._is_bounce_of_anybody(signs, text, findings)
        return BOUNCE if is_bounce else self._other(signs)

    def _is_told_by(self, findings: Findings) -> bool:
        """Whether a daemon's mail in unknown words is a bounce by what it is made of."""
        return findings.came_back() or findings.names_one() or findings.gives_reason()

    def _excluded(self, text: str, has_answer: bool) -> str:
        """What a mail is instead of a bounce, in spite of the words of one."""
        if self.is_auto_reply:
            return "an automatic reply"
        if holds_any(_straight(text), "lures") and not has_answer:
            return "a mail that lures its reader to a link"
        if holds_any(self.subject, "summary_subjects"):
            return "a summary, not about one mail"
        is_answer = self.is_reply and (self._is_from_a_person or self.has_bounce_subject)
        return "a reply" if is_answer and not self.is_from_daemon else ""

    def _is_bounce_of_administrator(self, signs: int, text: str, findings: Findings) -> bool:
        """Postmasters also write newsletters, and to their users: two signs are asked for."""
        if self.is_list_mail:
            names_entry = findings.names_entry()
            is_certain = (
                names_entry
                or _ANSWER_LINE.search(text)
                or "microsoftexchange" in self.sender.lower()
            )
            return bool(is_certain) and signs + names_entry >= 2
        has_report = bool(_REPORT_FIELD.search(text)) and not self.is_reply
        signs += self.has_null_sender
        if has_report or signs >= 2 or signs + findings.came_back() >= 2:
            return True
        if self.has_bounce_subject and findings.gives_reason():
            return True
        return self.has_null_sender and (findings.names_one() or findings.calls_by_name())

    def _is_bounce_of_anybody(self, signs: int, text: str, findings: Findings) -> bool:
        """Who answers for a null sender wrote no letter; others must bring our own mail back."""
        if self.is_list_mail or not self.has_null_sender:
            return signs >= 2 and findings.own_came_back()
        has_report = signs >= 3 or bool(_REPORT_FIELD.search(text))
        is_told = self.has_bounce_subject and (
            findings.gives_reason() or (has_report and _has_bounce_words(text))
        )
        return is_told or findings.came_back()

    def _other(self, signs: int) -> Nature:
        if self.is_list_mail:
            return Nature(False, "list mail")
        is_system = self.is_from_mail_system or self.has_bounce_subject
        is_answer = self._headers.get("auto-submitted").lower().startswith("auto-replied")
        if is_answer and not is_system:
            return Nature(False, "an automatic reply")  # RFC 3834
        is_doubtful = self.has_null_sender and (is_system or signs > 0) and not self.is_reply
        return Nature(False, "not about a failed delivery", is_doubtful)

    def _is_from(self, local_part: re.Pattern[str], name: re.Pattern[str]) -> bool:
        address = find_address(self.sender)
        if address is None:
            bare = self.sender.strip('<> "')
            return bool(local_part.fullmatch(bare) or name.search(bare))
        rest = self.sender.replace(address, "")
        return bool(local_part.fullmatch(address.partition("@")[0]) or name.search(rest))


def tells_of_delay(subject: str, text: str) -> bool:
    """Whether the server says that it still tries."""
    return "(delay)" in subject or holds_any(_straight(text), "delay_words")


def tells_of_delivery(text: str) -> bool:
    """Whether the text speaks of success, and of no failure."""
    # sendmail adds a transcript to reports of success too
    text = _straight(text).replace("transcript of session", "")
    return holds_any(text, "delivered_words") and not holds_any(text, "bounce_words")


def leads_to_a_link(text: str) -> bool:
    """Whether a text has a link, and quotes no server."""
    return bool(_LINK.search(text)) and not _SMTP_ANSWER.search(text)


def _has_bounce_words(text: str) -> bool:
    return holds_any(_straight(text), "bounce_words")


@lru_cache(maxsize=4)  # the same text is asked for several words
def _straight(text: str) -> str:
    text = text[:_MAX_CONSIDERED_CHARACTERS]
    return " ".join(text.lower().replace("\u2019", "'").replace("\u0307", "").split())
