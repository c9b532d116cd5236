"""What an input is made of, from its first bytes, not from its name; and the rows of CSV."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from email import message_from_bytes
from email.message import Message
from itertools import chain
from typing import BinaryIO
from urllib.parse import urlencode

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Event, Rejection
from contactctl.domain.text import show_safely
from contactctl.responses.classify import Classify
from contactctl.responses.formats.mapping import Context, Format, FormatSource, compile_format
from contactctl.responses.formats.reader import (
    PROVIDERS,
    DocumentReader,
    form_fields,
    kept_body,
    provider_formats,
    sender_format,
    sender_names,
    sender_of,
)
from contactctl.responses.generic import GenericOptions, GenericReader
from contactctl.responses.json_stream import (
    MAX_VALUE_BYTES,
    JsonValue,
    bounded_lines,
    read_json,
)
from contactctl.responses.postfix import PostfixReader, is_journal_entry, is_log, is_postfix_log

DELIMITERS = ",;\t|"
_LONGEST_CELL = 1 << 17
_SEPARATOR_LINE = "sep="  # the first line of spreadsheets' exports may name the delimiter
_BLANK = (
    b" \t\r\n\v\f\x1e"  # the last one stands before each value of a JSON text sequence (RFC 7464)
)
_PAIR = rb"[\w.~*%+\[\]-]+=[\w.~*%+!'()@:/,-]*"
_FORM = re.compile(rb"%s(&%s)*\r?(\n|\Z)" % (_PAIR, _PAIR))  # HTML 4.01, section 17.13.4
_MOST_PARTS = 1000
_PARTS = re.compile(
    rb"\s*--([^\r\n]{1,100})\r?\n(?:[\w-]+:[^\r\n]*\r?\n){0,5}?Content-Disposition: form-data",
    re.IGNORECASE,
)
# RFC 9112, 2.1, and what a server hands on without the first line: fields that no mail has
_HTTP = re.compile(
    rb"HTTP/[\d.]+ \d{3}\b|[A-Z]{3,7} \S+ HTTP/[\d.]+\r?\n|(?:[\w-]+:[^\r\n]*\r?\n){0,40}?"
    rb"(?:host|accept|accept-encoding|connection|transfer-encoding|x-amz-sns-message-type):",
    re.IGNORECASE,
)
# one column, and below its name the body of a post, as CSV quotes it
_COLUMN_OF_BODIES = re.compile(rb'[^\n]{1,100}\n"\s*[\[{]')
# JSON, parts or fields of a form, or the header of a table, with an address in the last two
_READABLE = re.compile(
    rb"[\[{]\s*[\"{\[]|--[^\r\n]{1,100}\r?\nContent-|[\w-]+=[^\s&]*&\S*(?:@|%40)"
    rb"|(?=[^\n]*(?:e-?mail|recipient|address))"
    rb"\"?[\w .-]{1,40}\"?(?:[,;\t|]\"?[\w ./-]{0,40}\"?)+\r?\n",
    re.IGNORECASE,
)
_OUTLOOK = b"\xd0\xcf\x11\xe0"  # how an OLE file begins
_HINT = "the first line names the columns: email, and one of category, status, diagnostic"


class CsvRows:
    """The rows of a CSV file; the delimiter is that of the header.

    Raises InputError where the file is not UTF-8, has a line of more than 1 MiB, or where its
    header names a column twice.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        csv.field_size_limit(_LONGEST_CELL)  # of the process: others may have set another one
        self._name = name
        self._lines = _text_lines(stream, name)
        self._first_line = 1
        header_line = next(self._lines, "")
        delimiter = ""
        if header_line.lower().startswith(_SEPARATOR_LINE):
            delimiter = header_line[len(_SEPARATOR_LINE) :].rstrip("\r\n")[:1]
            header_line = next(self._lines, "")
            self._first_line = 2
        self._delimiter = delimiter or max(DELIMITERS, key=header_line.count)
        self.header = _header(header_line, self._delimiter, name, self._first_line)

    def read(self, columns: list[str]) -> Iterator[JsonValue | Rejection]:
        """The rows under these names for the columns of the header; a short row lacks values."""
        rows = csv.reader(self._lines, delimiter=self._delimiter)
        filled = [""] * len(columns)
        while True:
            place = f"{self._name}:{rows.line_num + 1 + self._first_line}"
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Rejection(place, f"unreadable row: {error}")
                continue
            if row is None:
                return
            if len(row) > len(columns):
                reason = f"{len(row)} values under {len(columns)} columns"
                yield Rejection(place, reason, self._delimiter.join(row).encode())
            elif row:
                yield JsonValue(place, dict(zip(columns, row + filled[len(row) :], strict=True)))


def _text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in bounded_lines(stream):
        if line is None:
            raise InputError(f"{name}:{number}: a line of more than 1 MiB", hint="is it CSV?")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{name}:{number}: not UTF-8", hint="save it as UTF-8") from None
        yield text


def _header(line: str, delimiter: str, name: str, number: int) -> list[str]:
    place = f"{name}:{number}"
    try:
        columns = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise InputError(f"{place}: unreadable header: {error}", hint=_HINT) from None
    folded = [column.casefold() for column in columns]
    for column in folded:
        if column and folded.count(column) > 1:
            raise InputError(f"{place}: column {column!r} twice", hint="keep one of them")
    return columns


# Which provider's a document is, is told document by document (see formats/reader.py)


HEAD_BYTES = 1 << 16
_JSON = (b"{", b"[", b'"{', b'"[', b'"\\"')  # also in a JSON text
# JSON below a comment, a fence or a guard; or behind what a logger writes before each line
_JSON_BELOW = re.compile(rb"(?:(?!From |[\w-]+: )[^\n]*\n){1,20}?(?=[ \t]*[\[{]\s*[\"{\]])")
_JSON_BEHIND = re.compile(rb"(?!From |[\w-]+: )[^\n{]{1,300}\{\s*\"[^\n]*")
_OTHER_ENCODING = re.compile(rb"\xff\xfe|\xfe\xff|[\w{\[\"]\0|\0[\w{\[\"]")  # UTF-16
_LOG_STAMP = re.compile(rb"\[\d{4}-\d\d-\d\d[ T]")  # and no array


def detect(head: bytes, name: str) -> str:
    """`json`, `form`, `parts` (of a form), `postfix` (a log), `csv`, or else `mail`.

    `head` is the start of the input, up to HEAD_BYTES. Raises InputError on UTF-16, on headers of
    HTTP, on a log of another program, and where other text stands before JSON.
    """
    if _OTHER_ENCODING.match(head):
        raise InputError(f"{name}: UTF-16 text", hint="save it as UTF-8")
    if head.startswith(_OUTLOOK):
        raise InputError(f"{name}: a message of Outlook", hint="save it as .eml")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    if kind := _kind_of_document(text):
        return kind
    if _HTTP.match(text):
        raise InputError(
            f"{name}: an HTTP message with its headers", hint="give the body alone: curl without -i"
        )
    if is_postfix_log(text):
        return "postfix"
    is_table = _is_header(text.split(b"\n", 1)[0]) or _COLUMN_OF_BODIES.match(text)
    if not is_table and (advice := _where_json_begins(text)):
        raise InputError(f"{name}: JSON with other text before it", hint=advice)
    if is_log(text):
        raise InputError(
            f"{name}: a log, and none of its first lines is Postfix's",
            hint="give only Postfix's lines, or --from postfix",
        )
    return "csv" if is_table else "mail"


def _where_json_begins(text: bytes) -> str:
    """How to cut off what stands before JSON; "" where there is none."""
    if below := _JSON_BELOW.match(text):
        lines = below[0].count(b"\n")
        return f"cut it off: tail -n +{lines + 1}"
    return "cut it off: sed 's/^[^{]*//'" if _JSON_BEHIND.match(text) else ""


def seems_readable(head: bytes) -> bool:
    """Whether a file whose name says nothing begins as a document, a log or a table of ours do."""
    return bool(_READABLE.match(head)) or is_postfix_log(head)


def detect_documents(head: bytes, format_: str) -> str:
    """The same, but for `mail`, for an input whose format is known to be `format_`."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    return _kind_of_document(text) or ("postfix" if format_ == "postfix" else "csv")


def _kind_of_document(text: bytes) -> str:
    if text.startswith(_JSON) and not _LOG_STAMP.match(text):
        return "json"
    if _PARTS.match(text):
        return "parts"
    return "form" if _is_form(text) else ""


def _is_form(text: bytes) -> bool:
    """Whether the first line is the body of a form that a browser, or a webhook, has posted."""
    return _FORM.match(text.rpartition(b"&")[0] if len(text) >= HEAD_BYTES else text) is not None


def _is_header(line: bytes) -> bool:
    """Column names and delimiters; a mail begins with `Name:` or `From `."""
    text = line.decode(errors="replace").strip()
    if ":" in text or text.startswith("From "):
        return False
    return text.strip('"').lower() == "email" or any(mark in text for mark in DELIMITERS)


# JSON, CSV and logs of any format -> events


_GENERIC_FORMATS = ("jsonl", "csv")


class PayloadReader:
    """Reads inputs of `format`: `auto`, `jsonl`, `csv`, `postfix`, a provider's, an own name or,
    where no own one is called so, a sender's.

    Raises ConfigError for an own format that makes no sense.
    """

    def __init__(
        self,
        format: str,
        classify: Classify,
        own: Sequence[FormatSource],
        generic: GenericOptions,
        now: datetime,
        zone: tzinfo,
    ) -> None:
        own_formats = [compile_format(source) for source in own]
        self._own: list[Format] = []
        self._formats: list[Format] = []
        if format == "auto" and not generic:
            self._own, self._formats = own_formats, list(provider_formats())
        elif format in PROVIDERS:
            self._formats = [each for each in provider_formats() if each.name == format]
        elif format not in _GENERIC_FORMATS:
            self._own = [each for each in own_formats if each.name == format]
            if not self._own and format in sender_names():
                self._own = [sender_format(format)]
        self._reads_generic = format in ("auto", *_GENERIC_FORMATS)
        self._generic = GenericReader(generic)
        self._postfix = PostfixReader(classify, now, zone)
        self._reads_journal = format in ("auto", "postfix")
        self._reader = DocumentReader(classify, self._formats, self._own, self._read_other)

    def read(self, stream: BinaryIO, name: str, kind: str) -> Iterator[Event]:
        """The events of an input of one of the kinds that `detect` tells, but for `mail`."""
        if kind == "postfix":
            yield from self._postfix.read_lines(stream, name)
            return
        read = self._reader.read
        rows = {"csv": self._csv_rows, "form": _read_forms, "parts": _read_parts}.get(
            kind, read_json
        )
        for row in rows(stream, name):
            if isinstance(row, Rejection):
                yield row
            else:
                yield from read(row.value, row.place)

    def read_documents(self, documents: Iterable[tuple[str, object]]) -> Iterator[Event]:
        """The events of documents given as (place, document)."""
        for place, document in documents:
            yield from self._reader.read(document, place)

    def _read_other(
        self, document: Mapping[str, object], context: Context
    ) -> Sequence[Event] | None:
        if self._reads_journal and is_journal_entry(document):
            return self._postfix.read_entry(document, context.source)
        if self._reads_generic and self._generic.columns.fit(document):
            return [
                _with_way_out(event, document) for event in self._generic.read(document, context)
            ]
        return None

    def _csv_rows(self, stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
        rows = CsvRows(stream, name)
        try:
            return rows.read(self._columns(rows.header, name))
        except InputError:
            read = rows.read(rows.header)
            first = next(read, None)
            if isinstance(first, JsonValue) and kept_body(first.value):
                return chain([first], read)
            raise

    def _columns(self, header: list[str], name: str) -> list[str]:
        """The columns under the names that a format has for them, else as they are."""
        for format_ in (*self._own, *self._formats):
            if columns := _named_by(format_, header):
                return columns
        if self._reads_generic:
            try:
                if self._generic.columns.fit(dict.fromkeys(header)):
                    self._generic.columns.layout(tuple(header))
                    return header
            except ValueError as error:
                raise InputError(f"{name}:1: {error}", hint=_HINT) from None
        raise InputError(f"{name}:1: no column 'email'", hint=_columns_hint(header))


def _read_forms(stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
    """The fields of forms, one in a line."""
    for number, line in bounded_lines(stream):
        place = f"{name}:{number}"
        if line is None:
            yield Rejection(place, "a line of more than 1 MiB")
        elif line.strip():
            yield JsonValue(place, form_fields(line.decode(errors="replace").strip()))


def _read_parts(stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
    """The fields of forms as multipart/form-data (RFC 7578), but for their files."""
    raw = stream.read(MAX_VALUE_BYTES + 1)
    if len(raw) > MAX_VALUE_BYTES:
        yield Rejection(name, f"a form of more than {MAX_VALUE_BYTES >> 20} MiB")
        return
    at = 0
    while found := _PARTS.match(raw, at):
        end_mark = b"--%s--" % found[1]
        end = raw.find(end_mark, found.end())
        if end < 0:
            break
        at = end + len(end_mark)
        form = raw[found.start() : at]
        if form.count(end_mark[:-2]) > _MOST_PARTS:
            yield Rejection(name, f"a form of more than {_MOST_PARTS:,} parts")
        else:
            yield JsonValue(name, _fields_of_parts(form, found[1]))
    if rest := raw[at:].strip():
        yield Rejection(name, "not a form that ends: the input may be cut off", rest)


def _fields_of_parts(form: bytes, boundary: bytes) -> dict[str, object]:
    header = b'Content-Type: multipart/form-data; boundary="%s"\r\n\r\n' % boundary
    fields = [
        (str(part.get_param("name", header="content-disposition")), _text_of_part(part))
        for part in message_from_bytes(header + form).walk()
        if not part.is_multipart() and part.get_filename() is None
    ]
    return form_fields(urlencode(fields))


def _text_of_part(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode(errors="replace") if isinstance(content, bytes) else ""


def _with_way_out(event: Event, document: Mapping[str, object]) -> Event:
    """A rejection names the sender whose document it seems to be."""
    sender = sender_of(document) if isinstance(event, Rejection) else ""
    if not isinstance(event, Rejection) or not sender:
        return event
    return replace(event, reason=f"{event.reason}; --from {sender} reads it")


def _columns_hint(header: list[str]) -> str:
    for sender in sender_names():
        if _named_by(sender_format(sender), header):
            return f"--from {sender} reads it"
    columns = ", ".join(show_safely(column[:40]) for column in header[:20])
    return f"name it with --map 'COLUMN=email'; columns: {columns}"


def _named_by(format_: Format, header: list[str]) -> list[str] | None:
    """The columns under the format's names; None if the file is not of this format."""
    for document in format_.documents:
        # what is told by so little is told by its exact names: others have such columns, too
        same = str if document.is_exact else _plain
        named = {same(key): key for key in reversed(document.keys)}
        columns = [named.get(same(column), column) for column in header]
        if document.matches(dict.fromkeys(columns, "")):
            return columns
    return None


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
