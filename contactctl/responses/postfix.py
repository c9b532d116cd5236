"""Postfix's log: files of syslog lines, and `journalctl -o json`.

Every recipient's line of a delivery agent counts: `to=<...>, ..., dsn=5.1.1, status=bounced (...)`
(postfix.org, DSN_README and the log of every delivery agent). A message that expires in the queue
is told by its queue manager without recipients: those of its last delays are taken.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import BinaryIO, NamedTuple

from contactctl.domain.responses import Activity, ActivityKind, Category, Event, Rejection, Response
from contactctl.domain.text import show_safely
from contactctl.domain.urls import receiving_host
from contactctl.responses.classify import Classify
from contactctl.responses.fields import address_of, event_key, instant_of, text_of
from contactctl.responses.json_stream import bounded_lines

# `syslog_name` may be any word: then it is the delivery agent that tells them
_AGENT = (
    r"(?:postfix[\w.-]{0,40}(?:/[\w-]{1,40}){1,3}"
    r"|(?:[\w.-]{1,40}/){1,3}(?:smtp|lmtp|local|virtual|pipe|error|retry|discard|qmgr))"
)
# as syslog writes it, and as RFC 5424 does
_PROGRAM = rf"{_AGENT}(?:\[\d+\]:| \d+ \S+ (?:-|\[[^\]]*\])) "
_TIME = (
    r"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
)
_LINE = re.compile(rf"(?P<time>{_TIME}) \S+ +{_PROGRAM}(?P<message>.*)")
_STAMP = re.compile(rf"(?:<\d{{1,3}}>(?:1 )?)?{_TIME}")
_MARK = re.compile(rf" {_PROGRAM}")
_HEADER_FIELD = re.compile(r"[A-Za-z][\w-]*:|From ")
_DELIVERY = re.compile(
    r"(?P<queue>[0-9A-Za-z]{4,30}): to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<original>[^>]*)>, )?"
    r"(?:relay=(?P<relay>[^,]*), )?"
    r".*?(?:dsn=(?P<dsn>[\d.]+), )?status=(?P<status>\w+)(?: \((?P<said>.*)\))?"
)
_EXPIRED = re.compile(r"(?P<queue>[0-9A-Za-z]{4,30}): from=<[^>]*>, status=(?:force-)?expired\b")
_IDENTIFIER = re.compile(_AGENT)
_UNREADABLE = re.compile(rb"to=<[^>]*>,.* status=(?:bounced|deferred|sent|expired)\b")
_OTHERS = ("exim", "sendmail", "sm-mta", "smtpd", "opensmtpd")
_OTHERS_FAILURE = re.compile(r" \*\* \S+@|\bto=<[^>]*>,? .*(?:dsn=[45]\.|result=\"PermFail)")
_SAID = re.compile(r"said: (.*)")
_MOST_DELAYED_MESSAGES = 50_000
_NO_CATEGORY = {"bounced": Category.UNKNOWN, "deferred": Category.COMMUNICATION_FAILURE}


def is_log(head: bytes) -> bool:
    """Whether the start of an input is a log: its first line begins with a time of syslog."""
    return bool(_STAMP.match(head[:200].decode("utf-8", "replace")))


def is_postfix_log(head: bytes) -> bool:
    """Whether a line in the start of an input is Postfix's, and the first not that of a mail."""
    text = head.decode("utf-8", "replace")
    return not _HEADER_FIELD.match(text) and bool(_MARK.search(text))


def is_journal_entry(document: Mapping[str, object]) -> bool:
    """Whether this is an entry of `journalctl -o json`."""
    return "MESSAGE" in document and "__REALTIME_TIMESTAMP" in document


class _Said(NamedTuple):
    """Why a delivery failed: the status, the words, and the receiving host, shortened."""

    dsn: str
    words: str
    host: str


class PostfixReader:
    """Reads log lines and journal entries in the order in which they were written.

    Times without a year are the latest before `now` (aware); those without an offset are of `zone`.
    """

    def __init__(self, classify: Classify, now: datetime, zone: tzinfo = UTC) -> None:
        self._classify = classify
        self._now = now
        self._zone = zone
        self._delayed: OrderedDict[str, dict[str, _Said]] = OrderedDict()

    def read_lines(self, stream: BinaryIO, name: str) -> Iterator[Event]:
        """The events of a log; lines of other programs, and of Postfix's others, give none."""
        for number, line in bounded_lines(stream):
            place = f"{name}:{number}"
            if line is None:
                yield Rejection(place, "a line of more than 1 MiB")
                continue
            found = _LINE.search(line.decode("utf-8", "replace"))
            if found:
                yield from self._read(found["message"], self._instant(found["time"]), place)
            elif _UNREADABLE.search(line):
                yield Rejection(
                    place, "a delivery, but not written as Postfix writes its log", line
                )

    def read_entry(self, document: Mapping[str, object], place: str) -> list[Event]:
        """The events of one entry of the journal."""
        program = text_of(document.get("SYSLOG_IDENTIFIER") or document.get("_COMM"))
        unit, message = text_of(document.get("_SYSTEMD_UNIT")), _message_of(document)
        if _IDENTIFIER.match(program) or unit.startswith("postfix"):
            at = instant_of(document.get("__REALTIME_TIMESTAMP"))
            return list(self._read(message, at, place))
        if program.startswith(_OTHERS) and _OTHERS_FAILURE.search(message):
            return [Rejection(place, f"a log entry of {show_safely(program[:40])}, not of Postfix")]
        return []

    def _read(self, message: str, at: datetime | None, place: str) -> Iterator[Event]:
        if "status=" not in message:
            return
        delivery = _DELIVERY.match(message)
        if delivery:
            yield from self._deliver(delivery, at, place)
        elif expired := _EXPIRED.match(message):
            yield from self._expire(expired["queue"], at, place)

    def _deliver(self, delivery: re.Match[str], at: datetime | None, place: str) -> Iterator[Event]:
        recipient = address_of(delivery["to"])
        status, dsn, said = delivery["status"], delivery["dsn"] or "", text_of(delivery["said"])
        if status not in ("sent", *_NO_CATEGORY):
            return  # deliverable and undeliverable: probes of addresses, nobody's mail
        if not recipient:
            yield Rejection(place, f"{delivery['to']!r} is not an email address")
            return
        key = event_key("postfix", None, delivery["queue"], recipient, status, at)
        if status == "sent":
            self._forget(delivery["queue"], recipient)
            yield Activity(place, key, recipient, ActivityKind.DELIVERED, at)
            return
        original = address_of(delivery["original"])
        words = _Said(dsn, said, receiving_host(delivery["relay"] or ""))
        if status == "deferred":
            self._remember(delivery["queue"], recipient, words)
        else:
            self._forget(delivery["queue"], recipient)
        not_counted = "delayed" if status == "deferred" else ""
        yield self._response(place, key, recipient, words, at, not_counted, original)

    def _expire(self, queue: str, at: datetime | None, place: str) -> Iterator[Event]:
        for recipient, words in self._delayed.pop(queue, {}).items():
            key = event_key("postfix", None, queue, recipient, "expired", at)
            yield self._response(place, key, recipient, words, at, "", "")

    def _response(
        self,
        place: str,
        key: str,
        recipient: str,
        words: _Said,
        at: datetime | None,
        not_counted: str,
        original: str,
    ) -> Response:
        dsn, said, host = words
        answer = _SAID.search(said)
        text = (answer[1] if answer else said).replace(recipient, "<>")
        judged = self._classify(text, dsn, "")
        default = Category.COMMUNICATION_FAILURE if dsn.startswith("4") else Category.UNKNOWN
        not_counted = not_counted or judged.not_counted
        return Response(
            source=place,
            source_key=key,
            recipient=recipient,
            category=judged.category or default,
            original_recipient=original or None,
            counts=not not_counted,
            not_counted=not_counted,
            status=judged.status or dsn,
            diagnostic=said,
            rule=judged.rule or "postfix.unknown",
            occurred_at=at,
            host=host,
        )

    def _remember(self, queue: str, recipient: str, words: _Said) -> None:
        self._delayed.setdefault(queue, {})[recipient] = words
        self._delayed.move_to_end(queue)
        if len(self._delayed) > _MOST_DELAYED_MESSAGES:
            self._delayed.popitem(last=False)

    def _forget(self, queue: str, recipient: str) -> None:
        delayed = self._delayed.get(queue)
        if delayed is not None:
            delayed.pop(recipient, None)

    def _instant(self, text: str) -> datetime | None:
        try:
            found = datetime.fromisoformat(text.replace(",", "."))
        except ValueError:
            return self._instant_without_year(text)
        return instant_of((found if found.tzinfo else found.replace(tzinfo=self._zone)).isoformat())

    def _instant_without_year(self, text: str) -> datetime | None:
        local_now = self._now.astimezone(self._zone)
        for year in (local_now.year + 1, local_now.year, local_now.year - 1):
            try:
                found = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S")  # noqa: DTZ007
            except ValueError:
                continue
            aware = found.replace(tzinfo=self._zone)
            if aware <= self._now + timedelta(days=1):
                return aware.astimezone(UTC)
        return None


def _message_of(document: Mapping[str, object]) -> str:
    """The text of an entry; the journal gives bytes that are not UTF-8 as a list of numbers."""
    message = document.get("MESSAGE")
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(
            "utf-8", "replace"
        )
    return message if isinstance(message, str) else ""
