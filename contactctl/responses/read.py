"""The one way in: files, folders and streams of any format -> responses, activities, rejections."""

import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from gzip import GzipFile
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.responses import Event, NoResponse, Rejection
from contactctl.domain.text import show_safely
from contactctl.responses.archives import files_in, is_archive
from contactctl.responses.classify import Classifier, cached
from contactctl.responses.containers import (
    ONE_MAIL_SUFFIX,
    Replayed,
    is_called_mail,
    iter_mails,
    other_files,
)
from contactctl.responses.formats.mapping import FormatSource
from contactctl.responses.formats.reader import PROVIDERS, sender_names
from contactctl.responses.generic import GenericOptions
from contactctl.responses.mail import NO_NAMING, Naming, read_mail
from contactctl.responses.payloads import (
    HEAD_BYTES,
    PayloadReader,
    detect,
    detect_documents,
    seems_readable,
)

Input = Path | BinaryIO

FORMATS = ("mail", "jsonl", "csv", "postfix", *PROVIDERS)
_BUFFER_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_BEGINNING_BYTES = 1 << 12
# a header field at the very beginning, and one that mails have soon after (RFC 5322)
_MAIL_BEGINNING = re.compile(
    rb"(From |[!-9;-~]{1,80}: ?)(?=[^\0]*?^(received|return-path|from|date|message-id|subject"
    rb"|delivered-to|mime-version):)",
    re.IGNORECASE | re.MULTILINE,
)
_KNOWN_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".log", ".msg", ".zip", ".tar", ".tgz")
_OTHER = "neither a mail nor a document"


@dataclass(frozen=True, slots=True)
class OwnFormats:
    """What the config and the command line say of documents: formats, renames, local time.

    Logs have times without an offset, which are of `zone`, and without a year, which are before
    `now` (aware).
    """

    sources: Sequence[FormatSource] = ()
    generic: GenericOptions = field(default_factory=GenericOptions)
    zone: tzinfo = UTC
    now: datetime | None = None

    @property
    def names(self) -> list[str]:
        return [source.name for source in self.sources]


def read_events(
    inputs: Iterable[Input],
    classifier: Classifier,
    *,
    format: str = "auto",
    naming: Naming = NO_NAMING,
    own: OwnFormats | None = None,
) -> Iterator[Event]:
    """The events of all inputs, one after the other, in flat memory.

    `format` is `auto`, one of FORMATS, a sender's, or the name of an own one. Of a folder, and
    those below it, the mails are read, and with `auto` the JSON, CSV and log files too, and
    whatever else begins like one of these; what does not is a NoResponse. With another format all
    files are. A ZIP or tar archive is read as a folder. Inputs may be compressed with gzip. Files
    and streams without content hold nothing, but for a file that is called .eml.

    Raises UsageError at once on an unknown format, InputError on an input that cannot be opened or
    is refused as a whole; all else becomes a Rejection, a file in a folder too, or a NoResponse
    where nothing follows.
    """
    own = own or OwnFormats()
    require_format(format, own)
    classify = cached(classifier)
    payloads = PayloadReader(
        format, classify, own.sources, own.generic, own.now or datetime.now(UTC), own.zone
    )
    return _Reader(format, classifier, payloads, naming).read(inputs)


def require_format(format: str, own: OwnFormats) -> None:
    """UsageError unless it is `auto`, one of FORMATS, a sender's or of the own ones."""
    known = ["auto", *FORMATS, *sender_names(), *own.names]
    if own.generic and format not in ("auto", "jsonl", "csv"):
        raise UsageError(
            f"--map, --category and --date-format cannot be combined with --from {format}",
            hint="they describe files of your own: --from jsonl, csv or auto",
        )
    if format not in known:
        hint = did_you_mean(format, known) or f"one of {', '.join(dict.fromkeys(known))}"
        raise UsageError(f"unknown format '{show_safely(format)}'", hint=hint)


def read_mails(
    mails: Iterable[tuple[str, bytes]], classifier: Classifier, naming: Naming = NO_NAMING
) -> Iterator[Event]:
    """The events of mails given as (source, raw)."""
    for source, raw in mails:
        yield from _or_no_response(read_mail(raw, source, classifier, naming), source)


def _or_no_response(events: Iterable[Event], source: str) -> Iterator[Event]:
    found = False
    for event in events:
        found = True
        yield event
    if not found:
        yield NoResponse(source)


@dataclass(frozen=True)
class _Reader:
    format: str
    classifier: Classifier
    payloads: PayloadReader
    naming: Naming

    def read(self, inputs: Iterable[Input]) -> Iterator[Event]:
        for one in inputs:
            yield from self.read_path(one) if isinstance(one, Path) else self.read_stream(one)

    def read_path(self, path: Path) -> Iterator[Event]:
        if path.is_fifo():  # as <(...) of a shell
            with path.open("rb") as pipe:
                yield from self.read_stream(pipe)
            return
        if not path.is_dir():
            yield from self._read_file(path)
            return
        if self.format in ("auto", "mail"):
            yield from read_mails(iter_mails(path), self.classifier, self.naming)
        for file in other_files(path) if self.format != "mail" else ():
            yield from _or_rejected(self._read_other(file), str(file))

    def _read_other(self, file: Path) -> Iterator[Event]:
        if self.format != "auto" or _is_known(file, partial(_beginning, file)):
            yield from self._read_file(file)
        else:
            yield NoResponse(str(file), _OTHER)

    def read_stream(self, stream: BinaryIO) -> Iterator[Event]:
        name = str(getattr(stream, "name", "<stdin>"))
        name = "-" if name == "<stdin>" else name
        head = stream.read(HEAD_BYTES)
        if head.startswith(_GZIP):
            stream = _unzipped(BufferedReader(Replayed(head, stream, name)), name)
            head = stream.read(HEAD_BYTES)
        if _is_empty(head) and not name.lower().endswith(ONE_MAIL_SUFFIX):
            return
        whole = BufferedReader(Replayed(head, stream, name), _BUFFER_BYTES)
        if is_archive(head):
            yield from self._read_archive(whole, head, name)
            return
        kind = self._kind_of(head, name)
        if kind == "mail":
            yield from read_mails(iter_mails(whole), self.classifier, self.naming)
        else:
            yield from self.payloads.read(whole, name, kind)

    def _read_archive(self, stream: BinaryIO, head: bytes, name: str) -> Iterator[Event]:
        for member, file in files_in(stream, head, name):
            start = file.read(HEAD_BYTES)
            if is_archive(start):
                yield Rejection(member, "an archive in an archive", b"")
            elif self.format != "auto" or _is_known(PurePath(member), partial(_unpacked, start)):
                inside = BufferedReader(Replayed(start, file, member))
                yield from _or_rejected(self.read_stream(inside), member)
            else:
                yield NoResponse(member, _OTHER)

    def _read_file(self, path: Path) -> Iterator[Event]:
        with _opened(path) as file:
            head = file.read(HEAD_BYTES)
            if _is_empty(head) and path.suffix.lower() != ONE_MAIL_SUFFIX:
                return
            if is_archive(head):
                file.seek(0)
                yield from self._read_archive(file, head, str(path))
                return
            kind = self._kind_of(head, str(path))
            if kind != "mail":
                file.seek(0)
                yield from self.payloads.read(file, str(path), kind)
                return
            if isinstance(getattr(file, "raw", None), _Unzipped):
                file.seek(0)
                yield from read_mails(iter_mails(file), self.classifier, self.naming)
                return
        yield from read_mails(iter_mails(path), self.classifier, self.naming)

    def _kind_of(self, head: bytes, name: str) -> str:
        """What the input is made of: json, csv, postfix or mail."""
        if self.format == "auto":
            return detect(head, name)
        if self.format in ("mail", "csv"):
            return self.format
        return "json" if self.format == "jsonl" else detect_documents(head, self.format)


def _or_rejected(events: Iterator[Event], name: str) -> Iterator[Event]:
    """One file among others is no reason to read none."""
    try:
        yield from events
    except InputError as error:
        reason = error.message.removeprefix(f"{name}:").removeprefix(" ")
        yield Rejection(name, f"{reason}; {error.hint}" if error.hint else reason)


def _is_known(path: PurePath, beginning: Callable[[], bytes]) -> bool:
    """Whether a file in a folder is a document or a mail, by its name or by its beginning."""
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    if plain.suffix.lower() in _KNOWN_SUFFIXES or is_called_mail(plain):
        return True
    head = beginning().removeprefix(BOM_UTF8).lstrip()
    return seems_readable(head) or _MAIL_BEGINNING.match(head) is not None


def _beginning(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read(_BEGINNING_BYTES)


def _unpacked(head: bytes) -> bytes:
    if not head.startswith(_GZIP):
        return head[:_BEGINNING_BYTES]
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _BEGINNING_BYTES)
    except zlib.error:
        return b""


def _opened(path: Path) -> "BufferedReader[Any]":
    """The file, unpacked where it is compressed. Raises InputError."""
    try:
        file = BufferedReader(path.open("rb", buffering=0), _BUFFER_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="check the path") from error
    is_packed = file.peek(len(_GZIP)).startswith(_GZIP)
    return _unzipped(file, str(path)) if is_packed else file


def _unzipped(stream: "BinaryIO | BufferedReader[Any]", name: str) -> "BufferedReader[Any]":
    return BufferedReader(_Unzipped(stream, name), _BUFFER_BYTES)


class _Unzipped(RawIOBase):
    """What a gzip stream holds; InputError where it is damaged."""

    def __init__(self, stream: "BinaryIO | BufferedReader[Any]", name: str) -> None:
        self.name = name
        self._stream = stream
        self._unpacked = GzipFile(fileobj=stream)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._unpacked.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            unpacked = self._unpacked.read1(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{self.name}: the gzip file is damaged or cut off", hint="copy it again"
            ) from error
        buffer[: len(unpacked)] = unpacked
        return len(unpacked)

    def close(self) -> None:
        super().close()
        self._unpacked.close()
        self._stream.close()


def _is_empty(head: bytes) -> bool:
    return len(head) < HEAD_BYTES and not head.strip()
