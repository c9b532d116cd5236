"""A mail as headers and parts, read in bounded time and memory.

The standard library's parser takes about 0.7 ms for a mean bounce, and its recursion and part count
are the sender's to choose. A bounce reader needs a few header fields and the first parts only,
so mails are split here, with limits; decoding stays with the standard library.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from itertools import islice

from contactctl.responses.mail.charsets import decode_text

MAX_SCANNED_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 17
MAX_HEADER_FIELDS = 500
MAX_DEPTH = 8
MAX_PARTS = 60
MAX_PART_TEXT_BYTES = 1 << 17

_FIELD = re.compile(
    r"^([!-9;-~]{1,100})[ \t]{0,20}:[ \t]*(.*(?:\n(?:[ \t]|boundary=).*)*)", re.MULTILINE
)
_MBOX_FROM = re.compile(rb"\n*>?From [^\n]*\n")
_BOUNDARY = re.compile(r'boundary\s{0,9}=\s{0,9}(?:"([^"\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:+-]{1,40})", re.I)
_TAG = re.compile(r"<[^<>]*>")
_CELL_END = re.compile(r"</t[dh]\b[^<>]*>", re.I)
_LINE_BREAKING_TAG = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/pre)\b[^<>]*>", re.I)


class Headers:
    """Header fields by lower-case name; values unfolded."""

    def __init__(self, block: str) -> None:
        self._values: dict[str, list[str]] = {}
        for number, match in enumerate(_FIELD.finditer(block)):
            if number == MAX_HEADER_FIELDS:
                break
            self._values.setdefault(match[1].lower(), []).append(
                match[2].replace("\n", " ").strip()
            )

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str:
        """The first value of a field; empty when it is missing."""
        values = self._values.get(name)
        return values[0] if values else ""

    def get_all(self, name: str) -> list[str]:
        """All values of a field, in order."""
        return self._values.get(name, [])


@dataclass(frozen=True, slots=True)
class Part:
    """Headers and the undecoded body of a mail, or of one of its parts."""

    headers: Headers
    body: bytes

    @property
    def content_type(self) -> str:
        """Lower-case media type; `text/plain` where none is given."""
        return self.headers.get("content-type").partition(";")[0].strip().lower() or "text/plain"

    def text(self) -> str:
        """The body as text: transfer encoding, character set and HTML undone, length bounded."""
        text = decode_text(self.decoded_body(), self._charset())
        return text_of_html(text) if self.content_type == "text/html" else text

    def _charset(self) -> str:
        match = _CHARSET.search(self.headers.get("content-type"))
        return match[1] if match else ""

    def decoded_body(self) -> bytes:
        """The start of the body, its transfer encoding undone."""
        body = self.body[:MAX_PART_TEXT_BYTES]
        encoding = self.headers.get("content-transfer-encoding").lower()
        if encoding.startswith("quoted-printable"):
            return binascii.a2b_qp(body)
        if encoding.startswith("base64"):
            return _from_base64(body)
        return body


def parse_mail(raw: bytes) -> Part:
    """The mail in `raw`; line ends CRLF and bare CR count as LF, an mbox `From ` line is dropped.

    Only the first MAX_SCANNED_BYTES are looked at: what a server says stands before the mail that
    it returns.
    """
    raw = raw[:MAX_SCANNED_BYTES]
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    envelope = _MBOX_FROM.match(raw)
    return _split_head(raw[envelope.end() :] if envelope else raw)


def leaf_parts(mail: Part) -> Iterator[Part]:
    """The parts that are not multiparts themselves, in order; attached mails are not opened."""
    return islice(_leaves(mail, MAX_DEPTH), MAX_PARTS)


def header_text(value: str) -> str:
    """A header value with its encoded words (RFC 2047) decoded; undecodable ones stay."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value[:2_000])
    except (MessageError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else decode_text(piece, charset or "")
        for piece, charset in pieces
    )


def text_of_html(html: str) -> str:
    """The visible text of HTML, roughly: tags and style sheets dropped, blocks on own lines."""
    from html import unescape  # noqa: PLC0415 - few bounces are HTML alone

    html = _without_elements(_without_elements(html, "style"), "script")
    return unescape(_TAG.sub("", _CELL_END.sub(" ", _LINE_BREAKING_TAG.sub("\n", html))))


def _leaves(part: Part, depth: int) -> Iterator[Part]:
    children = _children(part) if depth and part.content_type.startswith("multipart/") else []
    if not children:
        yield part
    for child in children:
        yield from _leaves(child, depth - 1)


def _children(part: Part) -> list[Part]:
    match = _BOUNDARY.search(part.headers.get("content-type"))
    if match is None:
        return []
    delimiter = b"\n--" + (match[1] or match[2]).encode("utf-8", "replace")
    children: list[Part] = []
    for chunk in (b"\n" + part.body).split(delimiter, MAX_PARTS)[1:]:
        rest_of_line, _, content = chunk.partition(b"\n")
        if rest_of_line.startswith(b"--"):
            break
        if not rest_of_line.strip():
            children.append(_split_head(content))
    return children


def _split_head(block: bytes) -> Part:
    block = block.lstrip(b"\n") if block.startswith(b"\n\n") else block
    if block.startswith(b"\n"):
        return Part(Headers(""), block[1:])
    head, _, body = block.partition(b"\n\n")
    return Part(Headers(decode_text(head[:MAX_HEADER_BYTES], "")), body)


def _from_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        whole = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        return binascii.a2b_base64(whole[: len(whole) // 4 * 4])


def _without_elements(html: str, name: str) -> str:
    """`html` without the elements `name`, in linear time; an unclosed one ends the text."""
    lower = html.lower()
    if len(lower) != len(html) or f"<{name}" not in lower:
        return html
    kept, at = [], 0
    while (start := lower.find(f"<{name}", at)) >= 0:
        kept.append(html[at:start])
        at = lower.find(f"</{name}", start)
        if at < 0:
            return "".join(kept)
    kept.append(html[at:])
    return "".join(kept)
