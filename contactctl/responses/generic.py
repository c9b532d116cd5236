"""The generic form of responses, for senders of one's own: JSON lines or CSV.

Keys: `email`; one of `category`, `status` and `diagnostic`; and if known `occurred_at`, `group`,
`channel`, `id`. A category is one of the six, or `delivered`, `opened`, `clicked`; without one the
status (RFC 3463) and the diagnostic are classified. `occurred_at` is ISO 8601 or seconds since
1970, `channel` one of email, sms, push, in-app. Other keys are ignored.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from contactctl.domain.errors import InputError
from contactctl.domain.fields import did_you_mean
from contactctl.domain.responses import Activity, ActivityKind, Category, Event, Rejection, Response
from contactctl.domain.values import shown_json
from contactctl.responses.classify import Classification
from contactctl.responses.fields import address_of, event_key, instant_of, text_of
from contactctl.responses.json_stream import JsonValue, bounded_lines
from contactctl.responses.providers.verdict import Classify

CHANNELS = ("email", "sms", "push", "in-app")
_ACTIVITIES = {kind.value: kind for kind in ActivityKind}
_CATEGORIES = {category.value: category for category in Category}
_LONGEST_CELL = 1 << 17
DELIMITERS = ",;\t|"
_HINT = "the first line names the columns: email, and one of category, status, diagnostic"


def read(row: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One row; a rejection says which value does not fit."""
    try:
        return [_event(row, source, classify)]
    except ValueError as error:
        return [Rejection(source, str(error))]


def read_rows(stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
    """The rows of a CSV file as objects with their place; the delimiter is that of the header.

    Raises InputError where the file is not UTF-8, has a line of more than 1 MiB, or where its
    header lacks `email` or names a column twice.
    """
    csv.field_size_limit(_LONGEST_CELL)  # of the process: others may have set another one
    lines = _text_lines(stream, name)
    header_line = next(lines, "")
    delimiter = max(DELIMITERS, key=header_line.count)
    header = _header(header_line, delimiter, name)
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        place = f"{name}:{rows.line_num + 2}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Rejection(place, f"unreadable row: {error}")
            continue
        if row is None:
            return
        if len(row) > len(header):
            reason = f"{len(row)} values under {len(header)} columns"
            yield Rejection(place, reason, delimiter.join(row).encode())
        elif row:
            yield JsonValue(place, dict(zip(header, row, strict=False)))


def _event(row: dict[str, object], source: str, classify: Classify) -> Response | Activity:
    recipient, occurred_at, channel = _recipient(row), _occurred_at(row), _channel(row)
    category, group = _category(row), text_of(row.get("group")) or None
    status, diagnostic = text_of(row.get("status")), text_of(row.get("diagnostic"))
    identifier = text_of(row.get("id"))
    key = event_key(
        "generic",
        f"{identifier}:{recipient.lower()}" if identifier else "",
        *(recipient, category, status, diagnostic, occurred_at, group, channel),
    )
    if category in _ACTIVITIES or (not category and status.startswith("2.")):
        kind = _ACTIVITIES.get(category, ActivityKind.DELIVERED)
        return Activity(source, key, recipient, kind, occurred_at, channel)
    said = _judge(category, status, diagnostic, classify)
    not_counted = said.not_counted if channel == "email" else "channel"
    return Response(
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
    )


def _judge(category: str, status: str, diagnostic: str, classify: Classify) -> Classification:
    if category:
        return Classification(_CATEGORIES[category], "generic.category", status)
    if not status and not diagnostic:
        raise ValueError("needs a category, a status or a diagnostic")
    return classify(diagnostic, status, "")


def _recipient(row: dict[str, object]) -> str:
    value = row.get("email")
    address = address_of(value)
    if not address:
        raise ValueError(
            "no email" if value in (None, "") else f"no email address: {shown_json(value)}"
        )
    return address


def _occurred_at(row: dict[str, object]) -> datetime | None:
    value = row.get("occurred_at")
    instant = instant_of(value)
    if instant is None and value not in (None, ""):
        raise ValueError(
            f"occurred_at {shown_json(value)} is neither ISO 8601 nor seconds since 1970"
        )
    return instant


def _channel(row: dict[str, object]) -> str:
    channel = text_of(row.get("channel")).lower() or "email"
    if channel not in CHANNELS:
        raise ValueError(_unknown("channel", channel, CHANNELS))
    return channel


def _category(row: dict[str, object]) -> str:
    category = text_of(row.get("category")).lower().replace(" ", "-").replace("_", "-")
    if category and category not in _CATEGORIES and category not in _ACTIVITIES:
        raise ValueError(_unknown("category", category, [*_CATEGORIES, *_ACTIVITIES]))
    return category


def _unknown(what: str, value: str, known: Sequence[str]) -> str:
    hint = did_you_mean(value, list(known)) or f"one of {', '.join(known)}"
    return f"unknown {what} {shown_json(value)}; {hint}"


def _text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in bounded_lines(stream):
        if line is None:
            raise InputError(f"{name}:{number}: a line of more than 1 MiB", hint="is it CSV?")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{name}:{number}: not UTF-8", hint="save it as UTF-8") from None
        yield text


def _header(line: str, delimiter: str, name: str) -> list[str]:
    try:
        columns = [cell.strip().lower() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error as error:
        raise InputError(f"{name}:1: unreadable header: {error}", hint=_HINT) from None
    if "email" not in columns:
        raise InputError(f"{name}:1: no column 'email'", hint=_HINT)
    for column in columns:
        if columns.count(column) > 1:
            raise InputError(f"{name}:1: column {column!r} twice", hint="keep one of them")
    return columns
