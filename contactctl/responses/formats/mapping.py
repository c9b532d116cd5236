"""A format as a mapping: where a document says what, compiled once to closures.

A mapping has the keys of KEYS, or `documents`, a list of such mappings whose common keys stand
beside it. Paths are those of paths.py, outcomes those of outcomes.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import ConfigError
from contactctl.domain.responses import (
    Activity,
    Category,
    Event,
    Rejection,
    Response,
    Unsubscribe,
    mail_name,
)
from contactctl.domain.text import show_safely
from contactctl.domain.urls import host_in_words, receiving_host
from contactctl.responses.classify import Classify
from contactctl.responses.fields import (
    MAX_KEY_CHARACTERS,
    address_of,
    addresses_of,
    event_key,
    is_machine,
    text_of,
)
from contactctl.responses.formats import paths
from contactctl.responses.formats.outcomes import (
    A_PERSON_S,
    Kind,
    Outcome,
    compile_outcome,
    table_paths,
)
from contactctl.responses.formats.times import UnreadableTimeError, instant_reader
from contactctl.responses.status import codes_of

CHANNELS = ("email", "sms", "push", "in-app")
_TEXTS = (
    *("id", "status", "reply_code", "diagnostic", "group", "channel", "host", "user_agent"),
    "message",
)
_PATH_KEYS = ("email", "occurred_at", "event", *_TEXTS)
KEYS = (
    *(*_PATH_KEYS, "when", "only", "events", "key", "date_format", "time_zone"),
    *("single_recipient", "about"),
)
_DEFAULT_KEY = ("event", "email", "occurred_at", "status", "diagnostic", "group")
_FOUND = ("email", "occurred_at")
_UNKNOWN_EVENT = "unrecognised-event"
_HINT = "`contactctl init` writes a config with an example of `formats`"


class Context(NamedTuple):
    """Where a document stands, who judges its words, and the time of what stood around it."""

    source: str
    classify: Classify
    sent_at: datetime | None = None


class _Judgement(NamedTuple):
    category: Category
    rule: str
    status: str
    diagnostic: str
    not_counted: str


@dataclass(frozen=True, slots=True)
class FormatSource:
    """A mapping as it was read, and where it stands, for error messages."""

    name: str
    mapping: Mapping[str, Any]
    origin: str


class Format:
    """The documents of one sender. `find` tells which of them an object is, if any."""

    def __init__(self, name: str, documents: Sequence["Document"]) -> None:
        self.name = name
        self.documents = documents
        known = [document.anchors for document in documents]
        self._anchors = None if None in known else frozenset().union(*filter(None, known))

    def find(self, document: Mapping[str, object]) -> "Document | None":
        """The first kind of document that an object is."""
        if self._anchors is not None and self._anchors.isdisjoint(document):
            return None
        for kind in self.documents:
            if kind.matches(document):
                return kind
        return None


def compile_format(source: FormatSource) -> Format:
    """The format that a mapping describes. Raises ConfigError that names origin, format and key."""
    place = f"{source.origin}: format '{source.name}'"
    common = dict(source.mapping)
    documents = common.pop("documents", None)
    if documents is None:
        return Format(source.name, [_compile_document(source.name, common, place)])
    if not isinstance(documents, list) or not documents:
        raise ConfigError(f"{place}: 'documents' must be a list of mappings", hint=_HINT)
    kinds = []
    for number, document in enumerate(documents, 1):
        where = f"{place}: document {number}"
        if not isinstance(document, Mapping):
            raise ConfigError(f"{where}: must be a mapping", hint=_HINT)
        # null takes away a common key
        joined = {key: value for key, value in {**common, **document}.items() if value is not None}
        kinds.append(_compile_document(source.name, joined, where))
    return Format(source.name, kinds)


class Document:
    """One kind of document of a format: reads the events of an object that `matches`."""

    def __init__(self, name: str, mapping: Mapping[str, Any]) -> None:
        self.name = name
        emails = [paths.parse_path(text) for text in paths.texts_of(_email_of(mapping))]
        self.keys = tuple(dict.fromkeys(_top_level_keys(mapping)))
        self.matches = _test_of(mapping)
        self.is_exact = "only" in mapping and "event" not in mapping
        self.anchors = paths.anchors(_when_of(mapping)) if _when_of(mapping) else None
        self._scope = paths.Scope(emails)
        self._email = paths.value_getter(mapping["email"], self._scope)
        self._decide = compile_outcome(_events_of(mapping), self._scope, name)
        self._single_recipient = mapping.get("single_recipient", False)
        if not isinstance(self._single_recipient, bool):
            raise ValueError("single_recipient: must be true or false")
        key = mapping.get("key", _DEFAULT_KEY)
        if not isinstance(key, list | tuple):
            raise ValueError("key: must be a list of paths")
        self._instant = instant_reader(mapping, self._scope)
        self._getters = {name: _getter(mapping, self._scope, name) for name in _TEXTS}
        # one id may cover all recipients of an event
        self._id_is_shared = any(
            self._scope.level(paths.parse_path(text)) < self._scope.depth
            for text in paths.texts_of(mapping.get("id", "id"))
            if not text.startswith("=")
        )
        self._key_parts = [
            part if part in _FOUND else paths.value_getter(part, self._scope)
            for part in map(partial(_key_part, mapping), key)
            if part is not None
        ]

    def read(self, document: Mapping[str, object], context: Context) -> list[Event]:
        """The events, one an address; a rejection where there is none. Never raises."""
        if not self._scope.depth:
            return self._read_row((document,), context)
        rows = self._scope.rows(document)
        if len(rows) > 1 and self._single_recipient:
            return self._read_unclear(rows[0], len(rows), context)
        return [event for row in rows for event in self._read_row(row, context)]

    def _read_unclear(self, row: paths.Row, recipients: int, context: Context) -> list[Event]:
        """Nothing for an open or a click; a response of nobody knows whom is a rejection."""
        outcome = self._decide(row)
        if not isinstance(outcome, str) and outcome.kind in (Kind.ACTIVITY, Kind.NOTHING):
            return []
        reason = f"{self.name} event names {recipients} recipients, and not which of them it is of"
        return [Rejection(context.source, reason)]

    def _read_row(self, row: paths.Row, context: Context) -> list[Event]:
        outcome = self._decide(row)
        if not isinstance(outcome, str) and outcome.kind is Kind.NOTHING:
            return []
        given = self._email(row)
        if recipient := address_of(given):
            return [self._event(row, outcome, given, recipient, context)]
        return self._events_of_header(row, outcome, given, context)

    def _events_of_header(
        self, row: paths.Row, outcome: Outcome | str, given: object, context: Context
    ) -> list[Event]:
        """The events of several addresses in one text, which is then no part of their keys."""
        addresses = addresses_of(given)
        if addresses:
            return [self._event(row, outcome, None, address, context) for address in addresses]
        named = outcome if isinstance(outcome, str) else outcome.rule.partition(".")[2]
        reason = f"{self.name} event {text_of(named)[:200] or 'without a type'}: no email address"
        return [Rejection(context.source, reason)]

    def _event(
        self,
        row: paths.Row,
        outcome: Outcome | str,
        given: object,
        recipient: str,
        context: Context,
    ) -> Event:
        source = context.source
        try:
            occurred_at = self._instant(row) or context.sent_at
        except UnreadableTimeError as error:
            if (occurred_at := context.sent_at) is None:
                return Rejection(source, f"{self.name} event of {recipient}: {error}")
        key = self._source_key(row, given, recipient, occurred_at)
        if isinstance(outcome, str):
            if not outcome or A_PERSON_S.search(outcome):
                told = f" {text_of(outcome)[:200]}: not known" if outcome else " without a type"
                return Rejection(source, f"{self.name} event{told}")
            said = self._unknown_event(row, outcome)
        elif outcome.kind is Kind.ACTIVITY:
            agent = self._text("user_agent", row)
            by_machine = outcome.by_machine or (agent != "" and is_machine(agent))
            return Activity(
                *(source, key, recipient, outcome.activity, occurred_at),
                by_machine=by_machine,
                message=self._message_of(row),
            )
        elif outcome.kind is Kind.UNSUBSCRIBE:
            return Unsubscribe(
                *(source, key, recipient, occurred_at, self._text("group", row) or None),
                resubscribed=outcome.resubscribed,
                echo=outcome.not_counted == "echo",
                rule=outcome.rule,
            )
        else:
            said = self._judge(row, outcome, recipient, context.classify)
        named = self._text("channel", row).lower().replace("_", "-")
        channel = named if named in CHANNELS else "email"
        not_counted = said.not_counted if channel == "email" else "channel"
        return Response(
            source=source,
            source_key=key,
            recipient=recipient,
            category=said.category,
            counts=not not_counted,
            not_counted=not_counted,
            status=said.status,
            diagnostic=said.diagnostic,
            rule=said.rule,
            occurred_at=occurred_at,
            channel=channel,
            group=self._text("group", row) or None,
            host=receiving_host(self._text("host", row)) or host_in_words(said.diagnostic),
            message=self._message_of(row),
        )

    def _text(self, name: str, row: paths.Row) -> str:
        """What the row has under one of _TEXTS; "" where the mapping has no path for it."""
        get = self._getters[name]
        return text_of(get(row)) if get is not None else ""

    def _message_of(self, row: paths.Row) -> str:
        return mail_name(self._text("message", row), self.name)

    def _status_of(self, row: paths.Row) -> str:
        """A status; one of three numbers may be an object, of class, subject and detail."""
        get = self._getters["status"]
        found = get(row) if get is not None else ""
        return ".".join(map(text_of, found.values())) if isinstance(found, dict) else text_of(found)

    def _judge(
        self, row: paths.Row, outcome: Outcome, recipient: str, classify: Classify
    ) -> _Judgement:
        diagnostic = self._text("diagnostic", row)
        found_code, status = codes_of(self._status_of(row))
        reply_code = self._text("reply_code", row) or found_code
        category, not_counted, rule = outcome.category, outcome.not_counted, outcome.rule
        if outcome.text_first:
            # the address is no evidence, and without it equal refusals share one cache entry
            said = classify(diagnostic.replace(recipient, "<>"), status, reply_code)
            status = said.status or status
            if said.category is not None and said.category is not Category.UNKNOWN:
                category, rule = said.category, said.rule
                not_counted = not_counted or said.not_counted
        return _Judgement(category, rule, status, diagnostic, not_counted)

    def _unknown_event(self, row: paths.Row, event: str) -> _Judgement:
        """An event that the mapping does not name: kept, never counted."""
        diagnostic = self._text("diagnostic", row)
        named = f"unrecognised {self.name} event {text_of(event)[:200]}"
        diagnostic = f"{named}: {diagnostic}" if diagnostic else named
        rule = f"{self.name}.{_UNKNOWN_EVENT}"
        status = self._status_of(row)
        return _Judgement(Category.UNKNOWN, rule, status, diagnostic, _UNKNOWN_EVENT)

    def _source_key(
        self,
        row: paths.Row,
        given: object,
        recipient: str,
        occurred_at: datetime | None,
    ) -> str:
        identifier = self._text("id", row)
        if identifier and (self._id_is_shared or given is None):
            identifier = f"{identifier}:{recipient.lower()}"
        if identifier and len(identifier) <= MAX_KEY_CHARACTERS:
            return event_key(self.name, identifier)
        parts: list[object] = []
        for part in self._key_parts:
            if part == "email":
                parts.append(given or recipient)
            elif part == "occurred_at":
                parts.append(occurred_at)
            elif callable(part):
                parts.append(part(row))
        return event_key(self.name, identifier, *parts)


def _key_part(mapping: Mapping[str, Any], part: object) -> object:
    """A part of a key: the path of a field, if the mapping has it, or a path of its own."""
    if not isinstance(part, str) or part in _FOUND or part not in _DEFAULT_KEY:
        return part
    return mapping.get(part)


def _compile_document(name: str, mapping: Mapping[str, Any], place: str) -> Document:
    for key in mapping:
        if key not in KEYS:
            hint = did_you_mean(str(key), list(KEYS)) or f"keys: {', '.join(KEYS)}"
            raise ConfigError(show_safely(f"{place}: unknown key '{key}'"), hint=hint)
    try:
        return Document(name, mapping)
    except ValueError as error:
        raise ConfigError(show_safely(f"{place}: {error}"), hint=_HINT) from error


def _email_of(mapping: Mapping[str, Any]) -> object:
    if "email" not in mapping:
        raise ValueError("needs 'email': the path of the recipient's address")
    return mapping["email"]


def _events_of(mapping: Mapping[str, Any]) -> object:
    """The outcome of all events, or the table of those that `event` names."""
    if "events" not in mapping:
        raise ValueError("needs 'events': what an event means, such as `events: text`")
    events = mapping["events"]
    return {"by": mapping["event"], "is": events} if "event" in mapping else events


def _when_of(mapping: Mapping[str, Any]) -> object:
    return mapping.get("when", [] if "only" in mapping else paths.texts_of(mapping["email"])[:1])


def _test_of(mapping: Mapping[str, Any]) -> paths.Test:
    """`when`, and no other keys than those of `only`; without either, the keys of `email`."""
    only = frozenset(paths.texts_of(mapping["only"])) if "only" in mapping else None
    when = _when_of(mapping)
    test = paths.compile_test(when) if when else None
    if only is None:
        return test or (lambda _document: True)
    if test is None:
        return lambda document: document.keys() <= only
    return lambda document: document.keys() <= only and test(document)


def _top_level_keys(mapping: Mapping[str, Any]) -> Iterator[str]:
    for key in ("when", "only", *_PATH_KEYS):
        if key in mapping:
            yield from paths.top_level_keys(mapping[key])
    for part in mapping.get("key", ()):
        if part not in _DEFAULT_KEY:  # which are names of what is found, and of no column
            yield from paths.top_level_keys(part)
    yield from table_paths(mapping.get("events"))


def _getter(mapping: Mapping[str, Any], scope: paths.Scope, key: str) -> paths.Get | None:
    try:
        return paths.value_getter(mapping[key], scope) if key in mapping else None
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
