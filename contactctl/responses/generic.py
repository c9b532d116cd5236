"""The generic form of responses, for senders of one's own: JSON lines or CSV.

Keys: `email`; one of `category`, `event`, `status` and `diagnostic`; and if known `occurred_at`,
`group`, `channel`, `id`, under these names or others that senders use. A category is one of the
six, or `delivered`, `opened`, `clicked`, `unsubscribed`, `resubscribed`, or what senders call these
(formats/generic.yaml); without one the status (RFC 3463) and the diagnostic are classified. A
one-click unsubscribe (RFC 8058), with the address that its
link stood for, needs no category. Names are compared without case, spaces and signs. A name that
looks like a mistyped one of a field that is missing is an error; other keys are ignored.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from urllib.parse import unquote_plus

from contactctl.domain.contact_values import require_whole_date
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.criteria.values import shown_json
from contactctl.domain.errors import UsageError
from contactctl.domain.responses import (
    RESUBSCRIBED,
    UNSUBSCRIBED,
    WISHES,
    Activity,
    ActivityKind,
    Category,
    Event,
    Rejection,
    Response,
    Unsubscribe,
)
from contactctl.domain.text import show_safely
from contactctl.domain.urls import host_in_words
from contactctl.responses.classify import Classification, Classify
from contactctl.responses.columns import FIELDS, Columns, plain, words_of
from contactctl.responses.data import read_data
from contactctl.responses.fields import (
    address_of,
    event_key,
    instant_in_format,
    instant_of,
    is_machine,
    text_of,
)
from contactctl.responses.formats.mapping import CHANNELS, Context
from contactctl.responses.formats.outcomes import A_PERSON_S, Kind, Outcome, parse_outcome
from contactctl.responses.formats.paths import is_filled, parse_path, values_at
from contactctl.responses.status import codes_of, find_codes

_SUCCESS = re.compile(r"2(\.\d|\d\d\b)")  # RFC 3463, 2; RFC 5321, 4.2.1
_ONE_CLICK = "listunsubscribeoneclick"  # RFC 8058, 3.1, without signs
_OUTCOMES = (*Category, *ActivityKind, "opened by machine", "clicked by machine", *WISHES)
_CATEGORIES = [name.replace(" ", "-") for name in _OUTCOMES]
_NO_CATEGORY = "spam"  # of a bounce it means that a server took the mail for spam
_BY_WORDS = parse_outcome("text")
_LONGEST_EVENT = 60


@dataclass(frozen=True, slots=True)
class GenericOptions:
    """What a user says of files of their own.

    `renames` maps a column, or a path into a document, to one of FIELDS, or to "" where it is to be
    left out; `category` holds for all rows; `date_format` (strptime) is that of `occurred_at`.
    Raises UsageError for a field or a category that does not exist.
    """

    renames: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    date_format: str = ""

    def __post_init__(self) -> None:
        for path, target in self.renames.items():
            _require(not target or target in FIELDS, "--map", target, FIELDS)
            try:
                parse_path(path)
            except ValueError as error:
                raise UsageError(f"--map: {show_safely(str(error))}") from None
        targets = [target for target in self.renames.values() if target]
        if len(set(targets)) < len(targets):
            raise UsageError("--map gives a field twice", hint="keep one of them")
        is_known = not self.category or self.category in _CATEGORIES
        _require(is_known, "--category", self.category, _CATEGORIES)
        try:
            if self.date_format:
                require_whole_date(self.date_format)
        except ValueError as error:
            raise UsageError(
                f"--date-format '{show_safely(self.date_format)}': {error}",
                hint="write it like %d.%m.%Y %H:%M",
            ) from None

    def __bool__(self) -> bool:
        return bool(self.renames or self.category or self.date_format)


class GenericReader:
    """Reads rows of the generic form."""

    def __init__(self, options: GenericOptions | None = None) -> None:
        self.options = options or GenericOptions()
        self._paths = {
            target: parse_path(path) for path, target in self.options.renames.items() if target
        }
        self.columns = Columns(self.options.renames, self._paths)

    def read(self, row: Mapping[str, object], context: Context) -> list[Event]:
        """One row; a rejection says which value does not fit."""
        try:
            return self._events(row, context)
        except ValueError as error:
            return [Rejection(context.source, str(error))]

    def _events(self, row: Mapping[str, object], context: Context) -> list[Event]:
        layout = self.columns.layout(tuple(row))
        found = {name: _first_filled(row, keys) for name, keys in layout.items()}
        if len(events := layout.get("event", ())) > 1:
            found["event"] = _event_of(row, events)
        for name, steps in self._paths.items():
            literal = row.get(self._path_as_key(name))
            found[name] = (
                literal
                if literal is not None
                else next(filter(is_filled, values_at(row, steps)), None)
            )
        if self.options.category:
            found["category"] = self.options.category
        elif not found.get("category") and _is_one_click(row):
            found["category"] = UNSUBSCRIBED
        if not is_filled(found.get("occurred_at")) and context.sent_at is None:
            self.columns.refuse_unnamed_time(row)
        others = [text_of(row.get(key)) for key in layout.get("further", ())]
        return self._events_of(found, list(filter(None, others)), row, context)

    def _path_as_key(self, name: str) -> str:
        """A column may have dots in its name."""
        return next(path for path, target in self.options.renames.items() if target == name)

    def _events_of(
        self,
        found: Mapping[str, object],
        others: Sequence[str],
        row: Mapping[str, object],
        context: Context,
    ) -> list[Event]:
        recipient, channel = _recipient(found.get("email")), _channel(found.get("channel"))
        occurred_at = self._occurred_at(found.get("occurred_at")) or context.sent_at
        group = text_of(found.get("group")) or None
        status, diagnostic = text_of(found.get("status")), text_of(found.get("diagnostic"))
        outcome = _outcome(found, status, diagnostic)
        if outcome.kind is Kind.NOTHING:
            return []
        source, identifier = context.source, text_of(found.get("id"))
        key = event_key(
            "generic",
            f"{identifier}:{recipient.lower()}" if identifier else "",
            *(recipient, _name_of(outcome), status, diagnostic, occurred_at, group, channel),
        )
        if outcome.kind is Kind.UNSUBSCRIBE:
            is_back, rule = outcome.resubscribed, f"generic.{_name_of(outcome)}"
            return [Unsubscribe(source, key, recipient, occurred_at, group, is_back, rule=rule)]
        if outcome.kind is Kind.ACTIVITY:
            kind, agent = outcome.activity, text_of(found.get("user_agent"))
            by_machine = outcome.by_machine or (agent != "" and is_machine(agent))
            by_machine = by_machine or self.columns.tell_machine(row)
            return [Activity(source, key, recipient, kind, occurred_at, channel, by_machine)]
        diagnostic = _best(diagnostic, others, status, context.classify)
        said = self._judgement(outcome, status, diagnostic, row, context.classify)
        not_counted = said.not_counted if channel == "email" else "channel"
        return [
            Response(
                source=source,
                source_key=key,
                recipient=recipient,
                category=said.category or Category.UNKNOWN,
                counts=not not_counted,
                not_counted=not_counted,
                status=said.status,
                diagnostic=diagnostic,
                rule=said.rule or "generic.unknown",
                occurred_at=occurred_at,
                channel=channel,
                group=group,
                host=host_in_words(diagnostic),
            )
        ]

    def _judgement(
        self,
        outcome: Outcome,
        status: str,
        diagnostic: str,
        row: Mapping[str, object],
        classify: Classify,
    ) -> Classification:
        """Raises ValueError where nothing says that it is a failure, or of what kind."""
        if outcome is _BY_WORDS and not (status or diagnostic):
            keys = ", ".join(show_safely(key[:60]) for key in list(row)[:12])
            raise ValueError(f"needs a category, a status or a diagnostic (keys: {keys})")
        said = _judge(outcome, status, diagnostic, classify)
        if outcome is _BY_WORDS and not (status or self.columns.tell_failure(row)):
            _require_a_failure(diagnostic, said)
        return said

    def _occurred_at(self, value: object) -> datetime | None:
        if value in (None, ""):
            return None
        date_format = self.options.date_format
        instant = instant_in_format(value, date_format) if date_format else instant_of(value)
        if instant is None:
            expected = date_format or "ISO 8601, a mail's date or seconds since 1970"
            raise ValueError(
                f"occurred_at {shown_json(value)} is not {expected}, from 2000 to 2099;"
                " see --date-format"
            )
        return instant


def _first_filled(row: Mapping[str, object], keys: Sequence[str]) -> object:
    found = None
    for key in keys:
        if is_filled(value := row.get(key)):
            if not isinstance(value, dict | list):
                return value
            found = found or value
    return found


def _event_of(row: Mapping[str, object], keys: Sequence[str]) -> object:
    """The first event that is given; of a bounce, its kind, if a further one tells it."""
    words = [word for key in keys if (word := text_of(row.get(key)))]
    if not words or not _is_bounce(words[0], of_a_kind=False):
        return _first_filled(row, keys)
    return next((word for word in words if _is_bounce(word, of_a_kind=True)), words[0])


def _is_bounce(word: str, *, of_a_kind: bool) -> bool:
    outcome = _outcome_of(word)
    if outcome is None or not outcome.text_first or outcome.not_counted:
        return False
    return (outcome.category is not Category.UNKNOWN) is of_a_kind


def _best(diagnostic: str, others: Sequence[str], status: str, classify: Classify) -> str:
    """The first text that says why; else the first one."""
    if not others:
        return diagnostic
    reply_code, enhanced = codes_of(status)
    texts = [diagnostic, *others] if diagnostic else others
    for text in texts:
        if classify(text, enhanced, reply_code).category not in (None, Category.UNKNOWN):
            return text
    return texts[0]


def _is_one_click(row: Mapping[str, object]) -> bool:
    """Whether a row holds a one-click post (RFC 8058, 3.1): as its body, or with the post's only
    key, here or in a form of its own."""
    return any(
        _is_one_click(value)
        if isinstance(value, dict)
        else _ONE_CLICK in (plain(unquote_plus(text_of(value))), plain(f"{key}{text_of(value)}"))
        or f"name{_ONE_CLICK}" in plain(text_of(value))  # as multipart/form-data
        for key, value in row.items()
    )


def _outcome(found: Mapping[str, object], status: str, diagnostic: str) -> Outcome:
    """What a row's category means, else its event, else its status, else a reason of one word.

    Senders let their customers sort mails by a `category`: where the event is known, one that is
    not may be such a label. Raises ValueError for any other category that nobody knows.
    """
    event = text_of(found.get("event"))
    if category := text_of(found.get("category")):
        outcome = None if plain(category) == _NO_CATEGORY else _outcomes().get(plain(category))
        if outcome is not None:
            return outcome
        written = category.lower().replace(" ", "-").replace("_", "-")
        if _outcome_of(event) is None or did_you_mean(written, _CATEGORIES):
            raise ValueError(_unknown("category", written, _CATEGORIES))
    reply_code, enhanced = codes_of(status)
    has_code = bool(reply_code or find_codes(enhanced)[1]) and not _SUCCESS.match(status)
    outcome = _outcome_of(event)
    if outcome is None and not has_code:
        outcome = _outcome_of(status) if status else _outcomes().get(plain(diagnostic))
    said = event if has_code else f"{event} {status}"
    if outcome is None and A_PERSON_S.search(said):
        raise ValueError(f"event {shown_json(said.strip())} is not known")
    if outcome is None and _SUCCESS.match(status or diagnostic):
        return Outcome(Kind.ACTIVITY, activity=ActivityKind.DELIVERED)
    if outcome is None:
        return _BY_WORDS
    # what a browser calls itself may look like codes, so only a delivery's words are looked at
    is_refused = has_code or (
        outcome.activity is ActivityKind.DELIVERED
        and not _SUCCESS.match(diagnostic)
        and any(find_codes(diagnostic))
    )
    is_sign = outcome.kind in (Kind.NOTHING, Kind.ACTIVITY)
    return _BY_WORDS if is_sign and is_refused else outcome


def _require_a_failure(diagnostic: str, said: Classification) -> None:
    """Raises ValueError for a reason that may be that of a person who left."""
    words, leaving = diagnostic.lower(), read_data("formats/generic.yaml")["leaving"]
    if not said.rule or any(phrase in words for phrase in leaving):
        raise ValueError(f"{shown_json(diagnostic)} may be no bounce's reason: see --category")


def _judge(outcome: Outcome, status: str, diagnostic: str, classify: Classify) -> Classification:
    """The category of a response, and why it does not count."""
    reply_code, enhanced = codes_of(status)
    if not outcome.text_first:
        return Classification(outcome.category, "generic.category", enhanced, outcome.not_counted)
    said = classify(diagnostic or status, enhanced, reply_code)
    not_counted = outcome.not_counted or said.not_counted
    if said.category in (None, Category.UNKNOWN) and _is_bounce(diagnostic, of_a_kind=True):
        outcome = _outcome_of(diagnostic) or outcome  # a reason in one word
    if said.category in (None, Category.UNKNOWN) and outcome.category is not Category.UNKNOWN:
        return Classification(outcome.category, outcome.rule, said.status, not_counted)
    says_why = bool(diagnostic) and not _is_bounce(diagnostic, of_a_kind=False)
    if not (says_why or said.rule or not_counted):
        word = shown_json(status or outcome.rule.removeprefix("generic."))
        raise ValueError(f"{word} gives no reason: needs a category, a status code or a diagnostic")
    return replace(said, not_counted=not_counted)


@lru_cache(1024)
def _outcome_of(word: str) -> Outcome | None:
    """What an event, or a status that is a word, means."""
    known = _outcomes().get(plain(word))
    if known is None and len(word) <= _LONGEST_EVENT:
        about = read_data("formats/generic.yaml")["about"]
        said = "".join(each for each in words_of(word) if each not in about)
        known = _outcomes().get(said) if said != Category.UNKNOWN else None
    return known


@cache
def _outcomes() -> dict[str, Outcome]:
    """What follows from the name of a category or an event, in plain form."""
    by_name = {plain(name): parse_outcome(name) for name in _OUTCOMES}
    for names, meaning in read_data("formats/generic.yaml")["words"].items():
        words = [word.strip() for word in names.split("|")]
        rule = f"generic.{words[0].replace(' ', '-')}"
        by_name |= dict.fromkeys(map(plain, words), replace(parse_outcome(meaning), rule=rule))
    return by_name


def _name_of(outcome: Outcome) -> str:
    """The category that an outcome stands for; "" where the words decide."""
    if outcome.kind is Kind.UNSUBSCRIBE:
        return RESUBSCRIBED if outcome.resubscribed else UNSUBSCRIBED
    if outcome.kind is Kind.ACTIVITY:
        return f"{outcome.activity}{'-by-machine' if outcome.by_machine else ''}"
    return "" if outcome.text_first else outcome.category


def _recipient(value: object) -> str:
    address = address_of(value)
    if not address:
        raise ValueError(
            "no email" if value in (None, "") else f"{shown_json(value)} is not an email address"
        )
    return address


def _channel(value: object) -> str:
    channel = text_of(value).lower() or "email"
    if channel not in CHANNELS:
        raise ValueError(_unknown("channel", channel, CHANNELS))
    return channel


def _unknown(what: str, value: str, known: Sequence[str]) -> str:
    hint = did_you_mean(value, list(known)) or f"one of {', '.join(known)}"
    return f"unknown {what} {shown_json(value)}; {hint}"


def _require(holds: bool, flag: str, value: str, known: Sequence[str]) -> None:
    if not holds:
        hint = did_you_mean(value, list(known)) or f"one of {', '.join(known)}"
        raise UsageError(f"{flag}: '{show_safely(value)}' is not known here", hint=hint)
