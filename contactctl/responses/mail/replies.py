"""Replies of an SMTP server (RFC 5321, 4.2) as other servers quote them, and to which command.

In whatever language the text around it is, a reply is three digits at the start of a line or
after a mark, then an enhanced status (RFC 2034) or words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

_MAX_REPLIES = 5
_MAX_REPLY_CHARACTERS = 600
_MAX_REPLY_LINES = 8
_REACH_OF_A_COMMAND = 240

# What must not stand before is looked at last: a search that begins with digits is much faster.
_REPLY = re.compile(
    r"([45][0-7]\d)(?<![\w.@]\d{3})(?:[ -]{1,3}|[ -]{0,2}(?=#)|\n[ \t]{1,8})(?:[45]\d\d[ -]{1,3})?"
    r"(?:\(?#?([45]\.\d{1,3}\.\d{1,3})(?![\d.])|(?=[^\s\d.,;:)\]%]))"
)
# sendmail's own last word, `554 <kari@example.org>... Service unavailable`, or any line without a
# mark below the server's own, `<<< 550 ...`: no server's reply.
_OWN_SUMMARY = re.compile(r"<[^<>\s]{1,300}>\.\.\. ")
_MARKED_LINE = re.compile(r"^<<< .*\n\Z", re.MULTILINE)
_CODE = re.compile(r"[45][0-7]\d[ -]")
_AFTER_A_MARK = re.compile(
    r"(?:^|[:;'\"(<>\[{|=#,.\u3001-\u30ff\uff01-\uff5e-]"
    r"|\b(?:said|says|code|error|erro|errore|erreur|fehler|fehlercode|código|codice|код|ошибка|returned"
    r"|reply|response|answer|status|reason|smtp|was))[ \t]{0,20}\Z",
    re.IGNORECASE,
)
_END = re.compile(
    r"\n[ \t]*(?:\n|>>>|<<<|---|___|===)|\(in\s+reply\s+to\b|\bgiving up on\b|\n<"
    r"|\n[^\s@<]{1,128}@",
    re.IGNORECASE,
)
_IN_REPLY_TO = re.compile(r"\(in\s+reply\s+to\b", re.IGNORECASE)


# What servers set around any reply that they quote: it says nothing about this one.
# Each with words that are looked for first, which spares most texts the regex.
_FRAMES = [
    (hint, re.compile(pattern.replace(" ", r"\s{1,20}")))
    for hint, pattern in (
        ("-'", r"[45]\.\d\.\d{1,3} - [A-Za-z\s/,]{3,60}(?=[45]\d\d-')"),
        ("delivery attempts: ", r"\(delivery attempts: \d{1,4}\)"),
        ("Remote Server ", r"Remote Server (?:at \S{1,255} (?:\([^()]{1,60}\) )?)?returned (?=')"),
        (
            "SMTP communication",
            r"There was a SMTP communication problem with the recipient's e-?mail server\."
            r" Please contact your system administrator\.(?= <[^<>]{1,200}\bsmtp;)",
        ),
        (
            "it was rejected by",
            r", but it was rejected by the (?:recipient domain|server for the recipient domain)\b",
        ),
    )
]


def without_frame(text: str) -> str:
    """`text` without what servers set around any reply that they quote."""
    for hint, frame in _FRAMES:
        if hint in text:
            text = frame.sub("", text)
    return text


class Stage(StrEnum):
    """What of the SMTP dialogue was refused: whose affair a refusal is."""

    CONNECT = "connect"  # the greeting, HELO, EHLO, STARTTLS: our host
    MAIL = "mail"  # our sender
    RCPT = "rcpt"  # the recipient, or a policy about it
    DATA = "data"  # the message


_COMMAND = re.compile(
    r"\b(?P<connect>HELO|EHLO|LHLO|(?i:initial connection|(?:server )?greeting(?: failed)?"
    r"|talk to me|my name was rejected|banner))\b"
    r"|\b(?P<mail>MAIL[ -]?FROM|MAIL(?= command)|(?i:mail from(?=[ :<])|sender was rejected))"
    r"|\b(?P<rcpt>RCPT(?:[ -]?TO)?|(?i:rcpt to(?=[ :<])|does not like recipient))"
    r"|\b(?P<data>DATA|BDAT|TEXT(?= command)|(?i:end[ -]of[ -](?:data|message)"
    r"|(?:after|when) I sent the message|message (?:body|content)(?= was)))(?![\w])"
)


_HINTS_OF_A_COMMAND = (
    *("MAIL", "RCPT", "DATA", "BDAT", "TEXT", "HELO", "EHLO", "LHLO"),
    *("mail from", "rcpt to", "greeting", "nitial connection", "talk to me", "banner", "my name"),
    *("end of", "end-of", "I sent the message", "was rejected", "does not like", "message "),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: code and enhanced status (each empty where it has none), and its text."""

    text: str
    code: str = ""
    status: str = ""
    stage: Stage | None = None


def quoted_replies(text: str) -> list[Reply]:
    """The replies that a text quotes, in order, each with the command that it answers."""
    return list(_replies(text))


def _replies(text: str) -> Iterator[Reply]:
    at = 0
    for _ in range(_MAX_REPLIES):
        match = _next_reply(text, at)
        if match is None:
            return
        said = _reply_text(text, match.start())
        end = match.start() + len(said)
        yield Reply(said, match[1], match[2] or "", stage_of(text, match.start(), end))
        at = end


def _next_reply(text: str, at: int) -> re.Match[str] | None:
    for match in _REPLY.finditer(text, at):
        line_start = text.rfind("\n", 0, match.start()) + 1
        before = text[max(line_start, match.start() - 30) : match.start()]
        if not before and _is_own_summary(text, match):
            continue
        if match[2] or not before.strip() or _AFTER_A_MARK.search(before):
            return match
    return None


def _is_own_summary(text: str, match: re.Match[str]) -> bool:
    if _OWN_SUMMARY.match(text, match.end()):
        return True
    reach = max(0, match.start() - _MAX_REPLY_CHARACTERS)
    return bool(_MARKED_LINE.search(text, reach, match.start()))


def _reply_text(text: str, start: int) -> str:
    said = text[start : start + _MAX_REPLY_CHARACTERS]
    end = _END.search(said, 3)
    said = said[: end.start()] if end else said
    lines = said.split("\n", _MAX_REPLY_LINES)[:_MAX_REPLY_LINES]
    code = lines[0][:3]
    own = takewhile(lambda line: not _CODE.match(line) or line.startswith(code), lines)
    return "\n".join(own)


def stage_of(text: str, start: int, end: int) -> Stage | None:
    """The command that a reply at `start` to `end` answers: named after it in brackets
    (`(in reply to RCPT TO command)`), else the last one named before it in its paragraph."""
    after = text[end : end + 80]
    if _IN_REPLY_TO.match(after):
        return _first_stage(" ".join(after.split()))
    before = text[max(0, start - _REACH_OF_A_COMMAND) : start].rpartition("\n\n")[2]
    stage = None
    for match in _COMMAND.finditer(before):
        stage = Stage(str(match.lastgroup))
    return stage


def may_name_a_command(text: str) -> bool:
    """Whether it is worth while to look for commands in a text."""
    return any(hint in text for hint in _HINTS_OF_A_COMMAND)


def _first_stage(text: str) -> Stage | None:
    match = _COMMAND.search(text)
    return Stage(str(match.lastgroup)) if match else None
