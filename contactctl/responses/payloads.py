"""What an input is made of, from its first bytes; its name is no evidence.

Which provider's a document is, is told document by document (see formats/reader.py).
"""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import BinaryIO

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Event, Rejection
from contactctl.domain.text import show_safely
from contactctl.responses.csv_rows import DELIMITERS, CsvRows
from contactctl.responses.formats.judgement import Classify
from contactctl.responses.formats.mapping import (
    Context,
    Document,
    Format,
    FormatSource,
    compile_format,
)
from contactctl.responses.formats.reader import DocumentReader
from contactctl.responses.formats.registry import PROVIDERS, provider_formats
from contactctl.responses.generic import GenericOptions, GenericReader
from contactctl.responses.json_stream import JsonValue, read_json
from contactctl.responses.postfix import PostfixReader, is_journal_entry, is_log, is_postfix_log

HEAD_BYTES = 1 << 16
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def detect(head: bytes, name: str) -> str:
    """`json`, `csv`, `postfix` (a log), or else `mail`.

    `head` is the start of the input, up to HEAD_BYTES. Raises InputError on UTF-16, and on a log of
    another program.
    """
    if head.startswith(_OTHER_ENCODINGS):
        raise InputError(f"{name}: UTF-16 text", hint="save it as UTF-8")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")):
        return "json"
    if is_postfix_log(text):
        return "postfix"
    if is_log(text):
        raise InputError(
            f"{name}: a log, and none of its first lines is Postfix's",
            hint="give only Postfix's lines, or --from postfix",
        )
    return "csv" if _is_header(text.split(b"\n", 1)[0]) else "mail"


def detect_documents(head: bytes, format_: str) -> str:
    """`json`, `csv` or `postfix` for an input whose format is known to be `format_`."""
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"{", b"[")):
        return "json"
    return "postfix" if format_ == "postfix" else "csv"


def _is_header(line: bytes) -> bool:
    """Column names and delimiters; a mail begins with `Name:` or `From `."""
    text = line.decode(errors="replace").strip()
    if ":" in text or text.startswith("From "):
        return False
    return text.strip('"').lower() == "email" or any(mark in text for mark in DELIMITERS)


# JSON, CSV and logs of any format -> events


_GENERIC_FORMATS = ("jsonl", "csv")


class PayloadReader:
    """Reads inputs of `format`: `auto`, `jsonl`, `csv`, `postfix`, a provider's or an own name.

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
        self._reads_generic = format in ("auto", *_GENERIC_FORMATS)
        self._generic = GenericReader(generic)
        self._postfix = PostfixReader(classify, now, zone)
        self._reads_journal = format in ("auto", "postfix")
        self._reader = DocumentReader(classify, self._formats, self._own, self._read_other)

    def read(self, stream: BinaryIO, name: str, kind: str) -> Iterator[Event]:
        """The events of an input of this kind: `json`, `csv` or `postfix`."""
        if kind == "postfix":
            yield from self._postfix.read_lines(stream, name)
            return
        read = self._reader.read
        for row in self._csv_rows(stream, name) if kind == "csv" else read_json(stream, name):
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
        if self._reads_generic and self._generic.fits(document):
            return self._generic.read(document, context)
        return None

    def _csv_rows(self, stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
        rows = CsvRows(stream, name)
        return rows.read(self._columns(rows.header, name))

    def _columns(self, header: list[str], name: str) -> list[str]:
        """The columns under the names that a format has for them, else as they are."""
        for format_ in (*self._own, *self._formats):
            for document in format_.documents:
                columns = _named_by(document, header)
                if document.matches(dict.fromkeys(columns, "")):
                    return columns
        if self._reads_generic:
            try:
                fits = self._generic.fits(dict.fromkeys(header)) and self._generic.layout(
                    tuple(header)
                )
            except ValueError as error:
                raise InputError(f"{name}:1: {error}", hint=_HINT) from None
            if fits is not False:
                return header
        raise InputError(f"{name}:1: no column 'email'", hint=_columns_hint(header))


_HINT = "the first line names the columns: email, and one of category, status, diagnostic"


def _columns_hint(header: Iterable[str]) -> str:
    columns = ", ".join(show_safely(column[:40]) for column in list(header)[:20])
    return f"name it with --map 'COLUMN=email'; columns: {columns}"


def _named_by(document: Document, header: list[str]) -> list[str]:
    named = {_plain(key): key for key in document.keys}
    return [named.get(_plain(column), column) for column in header]


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
