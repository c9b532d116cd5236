"""The one way in: files, folders and streams of any format -> responses, activities, rejections."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO

from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.domain.responses import Event, NoResponse, Rejection
from contactctl.domain.text import show_safely
from contactctl.responses import generic
from contactctl.responses.classify import Classifier
from contactctl.responses.containers import ONE_MAIL_SUFFIX, iter_mails
from contactctl.responses.detect import FORMATS, HEAD_BYTES, detect
from contactctl.responses.json_stream import JsonValue, read_json
from contactctl.responses.mail import NO_NAMING, Naming, read_mail
from contactctl.responses.providers.registry import PROVIDERS
from contactctl.responses.providers.verdict import Classify, cached

Input = Path | BinaryIO

_BUFFER_BYTES = 1 << 18
_PAYLOAD_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv")


def read_events(
    inputs: Iterable[Input],
    classifier: Classifier,
    *,
    format: str = "auto",
    naming: Naming = NO_NAMING,
) -> Iterator[Event]:
    """The events of all inputs, one after the other, in flat memory.

    `format` is `auto` or one of detect.FORMATS. Of a folder the mails are read, and with `auto` its
    JSON and CSV files too; with another format all its files. Raises UsageError at once on an
    unknown format, InputError on an input that cannot be opened or is refused as a whole; all else
    becomes a Rejection, or a NoResponse where nothing follows from it. Files and streams without
    content hold nothing, but for a file that is called .eml.
    """
    require_format(format)
    return _Reader(format, classifier, cached(classifier), naming).read(inputs)


def require_format(format: str) -> None:
    """UsageError unless it is `auto` or one of detect.FORMATS."""
    known = ["auto", *FORMATS]
    if format not in known:
        hint = did_you_mean(format, known) or f"one of {', '.join(known)}"
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
    classify: Classify
    naming: Naming

    def read(self, inputs: Iterable[Input]) -> Iterator[Event]:
        for one in inputs:
            yield from self.read_path(one) if isinstance(one, Path) else self.read_stream(one)

    def read_path(self, path: Path) -> Iterator[Event]:
        if not path.is_dir():
            yield from self._read_file(path)
            return
        if self.format in ("auto", "mail"):
            yield from read_mails(iter_mails(path), self.classifier, self.naming)
        for file in sorted(path.iterdir()):
            if file.is_file() and self._is_payload(file):
                yield from self._read_file(file)

    def read_stream(self, stream: BinaryIO) -> Iterator[Event]:
        name = str(getattr(stream, "name", "<stdin>"))
        name = "-" if name == "<stdin>" else name
        head = stream.read(HEAD_BYTES)
        if _is_empty(head):
            return
        whole = BufferedReader(_Replayed(head, stream, name), _BUFFER_BYTES)
        format_ = self._format_of(head, name)
        if format_ == "mail":
            yield from read_mails(iter_mails(whole), self.classifier, self.naming)
        else:
            yield from _read_payloads(whole, name, format_, self.classify)

    def _is_payload(self, file: Path) -> bool:
        if self.format == "auto":
            return file.suffix.lower() in _PAYLOAD_SUFFIXES
        return self.format != "mail"

    def _read_file(self, path: Path) -> Iterator[Event]:
        try:
            file = path.open("rb", buffering=_BUFFER_BYTES)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}", hint="check the path") from error
        with file:
            head = file.read(HEAD_BYTES)
            if _is_empty(head) and path.suffix.lower() != ONE_MAIL_SUFFIX:
                return
            format_ = self._format_of(head, str(path))
            if format_ != "mail":
                file.seek(0)
                yield from _read_payloads(file, str(path), format_, self.classify)
                return
        yield from read_mails(iter_mails(path), self.classifier, self.naming)

    def _format_of(self, head: bytes, name: str) -> str:
        return detect(head, name) if self.format == "auto" else self.format


def _is_empty(head: bytes) -> bool:
    return len(head) < HEAD_BYTES and not head.strip()


class _Replayed(RawIOBase):
    """A stream that begins again with what was already read from it."""

    def __init__(self, head: bytes, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._head = memoryview(head)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _read_payloads(
    stream: BinaryIO, name: str, format_: str, classify: Classify
) -> Iterator[Event]:
    rows = generic.read_rows(stream, name) if format_ == "csv" else read_json(stream, name)
    read = PROVIDERS[format_].read if format_ in PROVIDERS else generic.read
    for row in rows:
        if isinstance(row, Rejection):
            yield row
        elif not isinstance(row.value, dict):
            yield Rejection(row.place, "no JSON object", _raw(row))
        else:
            for event in _or_no_response(read(row.value, row.place, classify), row.place):
                yield replace(event, raw=_raw(row)) if isinstance(event, Rejection) else event


def _raw(row: JsonValue) -> bytes:
    return json.dumps(row.value).encode()
