"""A mail as headers and parts, read in bounded time and memory, with its texts and times.

What the bytes of a text are outranks what its label says of them.

Servers label their text by habit: UTF-8 as GB2312, Shift_JIS as UTF-8, anything as US-ASCII.
Valid UTF-8 is no accident, so it is believed before any label; a label that a text of that
language cannot contradict (Latin-1 takes every byte) is believed last.
"""

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from itertools import islice

from contactctl.domain.text import text_codec

_SAMPLE_CHARACTERS = 400
_SAMPLE_BYTES = 4_000
# Encodings that write other scripts in ASCII bytes, and those that are no superset of ASCII.
_BY_LABEL_ALONE = ("utf-7", "utf7", "hz", "hz-gb-2312", "iso-2022", "utf-16", "utf-32")
_SAYS_NOTHING = ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252")
_KANA_OR_MARK = re.compile("[\u3001-\u3015\u3041-\u30ff\uff01-\uff5e]")
_FIRST_LEVEL = {  # lead bytes of the everyday characters
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
}
_HANGUL_LEADS = range(0xB0, 0xC9)  # of EUC-KR; Chinese text has as many beyond them
_MARK_LEADS = (0xA1, 0xA3)
_CHINESE_LABELS = ("gb", "big5", "cp936")
_EVERYDAY_LETTERS = {  # by codec, of scripts that have one byte for each letter
    **dict.fromkeys(("koi8_r", "cp1251", "iso8859_5"), frozenset("оеаинтсрвлкмд")),
    **dict.fromkeys(("cp1253", "iso8859_7"), frozenset("αοιετσνηυρπκμλωςόίάέήύ")),
    **dict.fromkeys(("cp1255", "iso8859_8"), frozenset("יוהלאתמרבשנדם")),
    **dict.fromkeys(("cp1256", "iso8859_6"), frozenset("اليمونرتبةعدسفهكقحجأ")),
    "cp874": frozenset("านรอกเงมยลวดทสตบคขปหพจุิีืั่้์ไ"),
}
_CYRILLIC_LABELS = ("koi8", "windows-1251", "cp1251", "iso-8859-5", "iso8859-5")
_WHOLE_WORD = re.compile(rb"[\x80-\xff]{3,}")
_LEAST_LETTERS = 8
_LEAST_SHARE_OF_WHOLE_WORDS = 0.7
_LEAST_SHARE_OF_HANGUL = 0.95
_LEAST_SHARE_OF_KANA = 0.2
_LEAST_SHARE_OF_EVERYDAY_CHARACTERS = 0.8


def decode_text(data: bytes, label: str) -> str:
    """`data` as text; `label` is the character set that the mail names, empty where it names none.

    Nothing raises: bytes that fit no encoding become U+FFFD or Latin-1.
    """
    label = label.lower()
    if data.isascii():
        return _decode_ascii(data, label)
    if not label.startswith(_BY_LABEL_ALONE[-2:]) and (text := _strictly(data, "utf-8")):
        return text
    codec = text_codec(label) if label and label not in _SAYS_NOTHING else None
    if codec is not None and not label.endswith("ascii"):
        text = _of_its_neighbour(data, label) or _strictly(data, codec)
        if text is not None:
            return text
    return _east_asian(data) or _of_one_byte_letters(data) or _last_resort(data, label)


def _of_its_neighbour(data: bytes, label: str) -> str | None:
    """Text in a character set that is often labelled so, and that the label cannot contradict."""
    if label.startswith(_CYRILLIC_LABELS):
        return _of_one_byte_letters(data)
    return _korean(data) if label.startswith(_CHINESE_LABELS) else None


def _decode_ascii(data: bytes, label: str) -> str:
    if b"\x1b$" in data:
        return data.decode("iso2022_jp_ext", "replace")
    if label.startswith(_BY_LABEL_ALONE) and (codec := text_codec(label)):
        return _strictly(data, codec) or data.decode("ascii")
    return data.decode("ascii")


def _strictly(data: bytes, codec: str) -> str | None:
    """The text; None where a byte does not fit. An unfinished last character is left out."""
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data)
    except (UnicodeError, LookupError):
        return None


def _east_asian(data: bytes) -> str | None:
    """Japanese, Korean or Chinese text that reads like one; None for all else."""
    for codec in ("euc_jp", "shift_jis"):
        text = _strictly(data, codec)
        if text and _share(_KANA_OR_MARK.findall(text), text) >= _LEAST_SHARE_OF_KANA:
            return text
    if text := _korean(data):
        return text
    for codec, (table, leads) in _FIRST_LEVEL.items():
        text = _strictly(data, codec)
        if text and _reads_well(text, table, leads):
            return text
    return None


def _korean(data: bytes) -> str | None:
    text = _strictly(data, "cp949")
    sample = _beyond_ascii(text or "")
    leads = [(character.encode("euc_kr", "ignore") or b"\0")[0] for character in sample]
    hangul = sum(lead in _HANGUL_LEADS or lead in _MARK_LEADS for lead in leads)
    return text if sample and hangul >= _LEAST_SHARE_OF_HANGUL * len(sample) else None


def _of_one_byte_letters(data: bytes) -> str | None:
    """Text of whole words in Cyrillic, Greek, Hebrew, Arabic or Thai letters, in the codec that
    gives the most everyday ones; None for all else, such as a Latin text with accents."""
    sample = data[:_SAMPLE_BYTES]
    letters = sum(byte > 0x7F for byte in sample)
    in_words = sum(map(len, _WHOLE_WORD.findall(sample)))
    if letters < _LEAST_LETTERS or in_words < _LEAST_SHARE_OF_WHOLE_WORDS * letters:
        return None
    count, best = max(
        (sum(each in everyday for each in sample.decode(codec, "replace").lower()), codec)
        for codec, everyday in _EVERYDAY_LETTERS.items()
    )
    return data.decode(best, "replace") if count >= letters / 2 else None


def _reads_well(text: str, table: str, leads: range) -> bool:
    sample = _beyond_ascii(text)
    everyday = [
        character
        for character in sample
        if _KANA_OR_MARK.match(character)
        or (character.encode(table, "ignore") or b"\0")[0] in leads
    ]
    return len(everyday) >= _LEAST_SHARE_OF_EVERYDAY_CHARACTERS * len(sample)


def _share(found: list[str], text: str) -> float:
    return len(found[:_SAMPLE_CHARACTERS]) / max(1, len(_beyond_ascii(text)))


def _beyond_ascii(text: str) -> list[str]:
    return [character for character in text if not character.isascii()][:_SAMPLE_CHARACTERS]


def _last_resort(data: bytes, label: str) -> str:
    """Latin-1, or damaged UTF-8 where most of it is sound."""
    if label in ("utf-8", "utf8"):
        text = data.decode("utf-8", "replace")
        damaged = text.count("\ufffd")
        if damaged < (len(text) - len(text.encode("ascii", "ignore"))) / 2:
            return text
    return data.decode("latin-1")


# Times in mails (RFC 5322, section 3.3), as aware UTC; None for what is no time


def parse_time(value: str) -> datetime | None:
    """The time that a Date, Arrival-Date or Last-Attempt-Date field names, in UTC.

    A time without a zone, or with the unknown zone `-0000`, counts as UTC.
    """
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value[:100])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def first_time(*values: str) -> datetime | None:
    """The first of several fields that holds a time."""
    return next((moment for value in values if (moment := parse_time(value))), None)


# A mail as headers and parts, read in bounded time and memory.
#
# The standard library's parser takes about 0.7 ms for a mean bounce, and its recursion and part
# count are the sender's to choose. A bounce reader needs a few header fields and the first parts
# only, so mails are split here, with limits; decoding stays with the standard library


MAX_SCANNED_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 17
MAX_HEADER_FIELDS = 500
MAX_DEPTH = 8
MAX_PARTS = 60
MAX_PART_TEXT_BYTES = 1 << 17

_FIELD = re.compile(
    r"^([!-9;-~]{1,100})[ \t]{0,20}:[ \t]*+(.*+(?:\n(?:[ \t]|boundary=).*+)*+)", re.MULTILINE
)
_MBOX_FROM = re.compile(rb"\n*>?From [^\n]*\n")
_BOUNDARY = re.compile(r'boundary\s{0,9}=\s{0,9}(?:"([^"\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:+-]{1,40})", re.I)
_TAG = re.compile(r"<[^<>]*>")
_CELL_END = re.compile(r"</t[dh]\b[^<>]*>", re.I)
# with the line end behind it, which breaks no line again
_LINE_BREAKING_TAG = re.compile(
    r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/pre)\b[^<>]*>(?:[ \t]{0,20}\n)?", re.IGNORECASE
)


class Headers:
    """Header fields by lower-case name; values unfolded."""

    def __init__(self, block: str) -> None:
        self._values: dict[str, list[str]] = {}
        for match in islice(_FIELD.finditer(block), MAX_HEADER_FIELDS):
            name, value = match.groups()
            self._values.setdefault(name.lower(), []).append(value.replace("\n", " ").strip())

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
