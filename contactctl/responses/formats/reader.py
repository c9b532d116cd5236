"""Documents of any format -> events: envelopes opened, the format recognised, the rest refused.

The providers' formats are the mappings of this folder; envelopes.yaml says what queues, APIs and
services put around documents. Those of `senders/` are read where they are asked for by name.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from contactctl.domain.responses import Event, NoResponse, Rejection
from contactctl.domain.text import show_safely
from contactctl.responses.classify import Classify
from contactctl.responses.data import read_data
from contactctl.responses.fields import instant_of
from contactctl.responses.formats.mapping import (
    Context,
    Document,
    Format,
    FormatSource,
    compile_format,
)
from contactctl.responses.formats.paths import Steps, Test, compile_test, parse_path, values_at
from contactctl.responses.json_stream import decode

_FORM = re.compile(r"(?:[\w.%+\[\]-]+=[^\s&]*&)+[\w.%+\[\]-]+=[^\s&]*")
_MAX_FORM_DEPTH = 8


class Opened(NamedTuple):
    """What was inside: the documents, each with its place in the envelope, and a time for them."""

    documents: Sequence[tuple[str, object]] = ()
    sent_at: datetime | None = None


def open_envelope(document: Mapping[str, object]) -> Opened | None:
    """The content of an envelope; None for what is not one. Raises ValueError that says why it
    cannot be opened."""
    envelopes = _envelopes()
    for key in filter(document.__contains__, envelopes):
        for envelope in envelopes[key]:
            if envelope.matches(document):
                opened = envelope.open(document)
                if opened is not None:
                    return opened
    return None


@dataclass(frozen=True, slots=True)
class _Envelope:
    name: str
    matches: Test
    steps: Steps
    time: str
    ignored: str
    refusal: str
    is_nothing: bool

    def open(self, document: Mapping[str, object]) -> Opened | None:
        if self.refusal:
            raise ValueError(f"{self.name}: {self.refusal}")
        if self.is_nothing:
            return Opened()
        inside = document.get(self.steps[0])
        if len(self.steps) > 1:
            is_as_told = isinstance(inside, list if self.steps[1] == "[]" else dict)
            return Opened(tuple(self._numbered(document))) if is_as_told else None
        if isinstance(inside, str):
            if self.ignored and inside.startswith(self.ignored):
                return Opened()
            try:
                inside = _decoded(inside)
            except ValueError as error:
                reason = f"{self.name}: its {self.steps[0]} is not JSON ({error})"
                raise ValueError(reason) from None
        elif not isinstance(inside, dict | list):
            return None
        sent_at = instant_of(document.get(self.time)) if self.time else None
        return Opened((("", inside),), sent_at)

    def _numbered(self, document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        for number, value in enumerate(values_at(document, self.steps)):
            if isinstance(value, str) and self.ignored and value.startswith(self.ignored):
                continue
            yield f".{self.steps[0]}[{number}]", _opened_text(value)


def _opened_text(value: object) -> object:
    """The JSON in a text; any other value as it is."""
    try:
        return _decoded(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _decoded(text: str) -> object:
    """The JSON of a text, or the fields of a form; queues and gateways may hand either over in
    base64. Raises ValueError."""
    try:
        return _json_or_form(text)
    except ValueError as error:
        try:
            return _json_or_form(b64decode(text, validate=True).decode())
        except ValueError:
            raise error from None


def _json_or_form(text: str) -> object:
    try:
        return decode(text)
    except ValueError:
        if _FORM.fullmatch(text) and (fields := form_fields(text)):
            return fields
        raise


def form_fields(text: str) -> dict[str, Any]:
    """The fields of a form, `data[email]` within an object `data`, as PHP and Rails read them.

    Of a name given twice the first counts: senders put what their customers added after their own.
    """
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *way, last = name.replace("]", "").split("[", _MAX_FORM_DEPTH)
        inside = form
        for key in way:
            found = inside.setdefault(key, {})
            inside = found if isinstance(found, dict) else inside.setdefault(f"{key}[]", {})
        inside.setdefault(last, value)
    return form


def kept_body(document: object) -> str:
    """The only JSON text of a document, as loggers keep the body of a post among values of their
    own; "" where there is none, or more than one."""
    values = document.items() if isinstance(document, dict) else ()
    texts = [
        value
        for key, value in values
        if key.lower() not in _NO_BODIES
        and isinstance(value, str)
        and value.lstrip().startswith(("{", "["))
        and isinstance(_opened_text(value), dict | list)
    ]
    return texts[0] if len(texts) == 1 else ""


@cache
def _envelopes() -> dict[str, list[_Envelope]]:
    """The envelopes by the key that is opened."""
    envelopes: dict[str, list[_Envelope]] = {}
    for entry in read_data("formats/envelopes.yaml"):
        envelope = _Envelope(
            entry["name"],
            compile_test(entry["when"]),
            parse_path(entry["open"]),
            entry.get("time", ""),
            entry.get("ignore", ""),
            entry.get("refuse", ""),
            entry.get("nothing", False),
        )
        envelopes.setdefault(envelope.steps[0], []).append(envelope)
    return envelopes


# The built-in formats: the mappings of this folder, one a provider


PROVIDERS = ("ses", "sendgrid", "postmark", "mailgun", "sparkpost", "mailjet", "brevo")


@cache
def provider_formats() -> tuple[Format, ...]:
    """The providers' formats, compiled once."""
    return tuple(compile_format(_source(name)) for name in PROVIDERS)


@cache
def sender_names() -> tuple[str, ...]:
    """The formats of other senders, sorted: read by name only, as their keys are less telling."""
    folder = files("contactctl.responses.formats").joinpath("senders")
    return tuple(sorted(each.name.removesuffix(".yaml") for each in folder.iterdir()))


@cache
def sender_format(name: str) -> Format:
    """One of `sender_names`, compiled once."""
    return compile_format(_source(name, "senders/"))


def sender_of(document: Mapping[str, object]) -> str:
    """Whose document it seems to be, of `sender_names`; "" if no one's."""
    return next((name for name in sender_names() if sender_format(name).find(document)), "")


def _source(name: str, folder: str = "") -> FormatSource:
    return FormatSource(name, read_data(f"formats/{folder}{name}.yaml"), f"{name}.yaml")


# Documents of any format -> events: envelopes opened, the format recognised, the rest refused


MAX_ENVELOPES = 6
_NO_BODIES = ("headers", "query", "params")  # what else loggers keep of a post
_SHOWN_KEYS = 12

ReadOther = Callable[[Mapping[str, object], Context], Sequence[Event] | None]
"""(document, context) -> its events; None for a document that is not of this kind either."""


class DocumentReader:
    """Reads documents of `own` formats, opens envelopes, and reads those of `formats` inside.

    `read_other` reads what is of no format. Which of two formats reads a document that fits both is
    the order's to say, but one that has just been met is tried before its successors.
    """

    def __init__(
        self,
        classify: Classify,
        formats: Sequence[Format],
        own: Sequence[Format] = (),
        read_other: ReadOther = lambda _document, _context: None,
    ) -> None:
        self._classify = classify
        self._formats = formats
        self._own = own
        self._read_other = read_other
        self._latest = formats[0] if formats else None

    def read(self, value: object, place: str) -> Iterable[Event]:
        """The events of a value; a NoResponse where there are none. Never raises."""
        if type(value) is dict and self._latest is not None and not self._own:
            kind = self._latest.find(value)  # what most documents are, without the way round
            if kind is not None:
                return _with_raw(kind.read(value, Context(place, self._classify)), value, place)
        return self._read(value, Context(place, self._classify), MAX_ENVELOPES)

    def _read(self, value: object, context: Context, envelopes_left: int) -> Iterable[Event]:
        while isinstance(value, str) and envelopes_left:  # a JSON text in a list, or in a line
            value, envelopes_left = _opened_text(value), envelopes_left - 1
        if isinstance(value, list) and envelopes_left < MAX_ENVELOPES:
            inside = tuple((f"[{number}]", item) for number, item in enumerate(value))
            return self._read_inside(inside, context, envelopes_left)
        if not isinstance(value, dict):
            return [Rejection(context.source, "not a JSON object", _raw(value))]
        kind = self._usual_kind_of(value)
        try:
            opened = open_envelope(value) if kind is None and envelopes_left else None
        except ValueError as error:
            return [Rejection(context.source, str(error), _raw(value))]
        if opened is not None:
            sent_at = opened.sent_at or context.sent_at
            inner = Context(context.source, context.classify, sent_at)
            return self._read_inside(opened.documents, inner, envelopes_left - 1)
        kind = kind or self._kind_of(value)
        events = kind.read(value, context) if kind else self._read_other(value, context)
        if events is None and envelopes_left and (text := kept_body(value)):
            return self._read_inside((("", _opened_text(text)),), context, envelopes_left - 1)
        if events is None:
            events = [Rejection(context.source, unknown_document(value))]
        return _with_raw(events, value, context.source)

    def _read_inside(
        self, documents: Sequence[tuple[str, object]], context: Context, envelopes_left: int
    ) -> Iterator[Event]:
        for place, document in documents:
            inner = Context(f"{context.source}{place}", context.classify, context.sent_at)
            yield from self._read(document, inner, envelopes_left)
        if not documents:
            yield NoResponse(context.source)

    def _usual_kind_of(self, document: Mapping[str, object]) -> Document | None:
        """Of an own format, or of the one that has just been met."""
        for format_ in self._own:
            if kind := format_.find(document):
                return kind
        return self._latest.find(document) if self._latest is not None else None

    def _kind_of(self, document: Mapping[str, object]) -> Document | None:
        for format_ in self._formats:
            if kind := format_.find(document):
                self._latest = format_
                return kind
        return None


def read_document(document: object, source: str, classify: Classify) -> list[Event]:
    """The events of one document of a provider, with what may stand around it."""
    return list(DocumentReader(classify, provider_formats()).read(document, source))


def unknown_document(document: Mapping[str, object]) -> str:
    """Why a document is refused: its keys are the way to find out what it is."""
    keys = [show_safely(key[:60]) for key in list(document)[:_SHOWN_KEYS]]
    more = ", ..." if len(document) > _SHOWN_KEYS else ""
    sender = sender_of(document)
    way_out = f"; --from {sender} reads it" if sender else ""
    return f"no format known here (top-level keys: {', '.join(keys) or 'none'}{more}){way_out}"


def _with_raw(events: Sequence[Event], document: object, source: str) -> Iterable[Event]:
    if len(events) == 1 and type(events[0]) is not Rejection:
        return events
    if not events:
        return [NoResponse(source)]
    if any(isinstance(event, Rejection) for event in events):
        raw = _raw(document)
        return [
            replace(event, raw=raw) if isinstance(event, Rejection) else event for event in events
        ]
    return events


def _raw(value: object) -> bytes:
    return json.dumps(value).encode()
