"""A column that may say who must not get mail stops an import until its meaning is known."""

import json
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote

from contactctl.domain.contacts import Status
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.text import fold, show_safely, trim
from contactctl.operations.importing.header import plain, preset_for
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.rows import Batch, FileRows
from contactctl.operations.importing.status import (
    answers_a_question,
    answers_about_mail,
    looks_like_opt_out,
)

_SHOWN_VALUES = 6
_OURS = {"", *map(str, Status)}


def refuse_undecided(rows: FileRows, first: Batch, options: ImportOptions) -> None:
    """InputError when the first rows have such a column, or a status of another program's.

    Later rows with a status that is not ours are rejected one by one.
    """
    _require_keys(rows, first, options)
    undecided = {name: _values(rows, first, name) for name in rows.known.undecided}
    unsaid = {}
    for name in () if options.all_inactive else rows.known.unknown:
        cells = set(_cells(rows, first, name)) - options.all_nulls
        if any(map(looks_like_opt_out, cells)) or answers_about_mail(name, cells):
            undecided[name] = _values(rows, first, name)
        elif not options.expects_other_columns and answers_a_question(cells):
            unsaid[name] = _values(rows, first, name)
    nulls = options.all_nulls
    for column in rows.columns:
        if column.field and column.field.name == "status":
            values = _values(rows, first, column.name)
            if not {fold(value) for value in values if value not in nulls} <= _OURS:
                undecided[column.name] = values
    if undecided:
        looks = "looks" if len(undecided) == 1 else "look"
        raise InputError(
            f"{_listed(undecided)} {looks} like consent or status",
            hint=_hint(rows, {**undecided, **unsaid}),
        )
    if unsaid:
        raise InputError(
            f"{_listed(unsaid)} may say who gets mail: all cells answer yes or no",
            hint=_hint(rows, unsaid),
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{show_safely(name)}'" for name in names)


def _hint(rows: FileRows, undecided: dict[str, list[str]]) -> str:
    preset = preset_for(rows.names)
    known = f"--preset {preset} knows what it means; or " if preset else ""
    name, values = max(undecided.items(), key=lambda each: bool(any(each[1])))
    listed = ", ".join(f"'{shown(value)}'" if value else "nothing" for value in values)
    it_has = f" (it has {listed})" if listed else ""
    ignored = " ".join(f"--ignore {quote(show_safely(each))}" for each in undecided)
    return (
        f"{known}name the values that mean inactive with"
        f" --inactive-when {quote(f'{show_safely(name)}=VALUE,VALUE')}{it_has},"
        f" or leave out what does not say so with {ignored}"
    )


def _values(rows: FileRows, batch: Batch, name: str) -> list[str]:
    """Some of the different values of a column, as they come."""
    found: dict[str, None] = {}
    for value in _cells(rows, batch, name):
        found.setdefault(trim(value))
        if len(found) == _SHOWN_VALUES:
            break
    return list(found)


def _cells(rows: FileRows, batch: Batch, name: str) -> Iterator[str]:
    if not batch.records:
        at = next(at for at, column in enumerate(rows.columns) if column.name == name)
        yield from (row[at] or "" for row in batch.rows)
        return
    for record in batch.records:
        value = {plain(key): each for key, each in json.loads(record).items()}.get(plain(name))
        yield value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def _require_keys(rows: FileRows, first: Batch, options: ImportOptions) -> None:
    """UsageError for a rule on a key that no object has; a header is asked when it is read."""
    if not first.records:
        return
    places = {plain(column.name): at for at, column in enumerate(rows.columns)}
    for rule in options.inactive:
        at = places[plain(rule.column)]
        if all(row[at] is None for row in first.rows):
            raise UsageError(
                f"--inactive-when: no object has the key '{show_safely(rule.column)}'",
                hint=did_you_mean(rule.column, _keys(first.records))
                or "keys are those of the file",
            )


def _keys(records: Sequence[str]) -> list[str]:
    return sorted({key for record in records[:100] for key in json.loads(record)})
