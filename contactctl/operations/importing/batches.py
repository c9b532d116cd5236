"""Batches on their way: what reads the cells of each column, and waves of rows to be put in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from contactctl.domain import contact_values, name_cells
from contactctl.domain.contacts import Status
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import UsageError
from contactctl.domain.text import fold, show_safely
from contactctl.operations.importing.columns import (
    STATE_BY_FIELD,
    FileColumn,
    date_formats_of,
)
from contactctl.operations.importing.convert import KEY, Converted, Read, value_parser
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.session import Session
from contactctl.store.external_ids import AddressChanges
from contactctl.store.groups import group_ids
from contactctl.store.imports import Wave
from contactctl.store.staged import Staged, stored_date, stored_instant

_DATE_FORMAT_HINT = "use iso, epoch, excel or strptime codes, for example %d.%m.%Y or %Y%m%d"


@dataclass
class ColumnReading:
    """Gives what reads each column; `dates` are the readers of the date columns, by field."""

    session: Session
    options: ImportOptions
    dates: dict[str, contact_values.DateReader] = field(default_factory=dict)

    def __call__(self, column: FileColumn, known: Field) -> Read:
        """The parser of a column's cells, which gives values as staged rows hold them."""
        return value_parser(known, self._parser(column, known))

    def with_given_names(self) -> ImportOptions:
        """The options with the tags and groups of all rows as cells would give them; UsageError."""
        tag = self.session.catalogue.find("tag")
        return replace(
            self.options,
            tags=_given("tag", self.options.tags, self._names_parser(tag)),
            groups=_given("group", self.options.groups, self._group_parser()),
        )

    def _parser(self, column: FileColumn, known: Field) -> Read:
        if known.name in STATE_BY_FIELD:
            return self._group_parser()
        if known.name == "status":
            return lambda text: _status(column.name, text)
        if known.type is FieldType.SET:
            return self._names_parser(known)
        if known.type in (FieldType.DATE, FieldType.INSTANT):
            formats = date_formats_of(self.options, column.name)
            reader = contact_values.DateReader(formats, self.session.time_zone)
            self.dates[known.name] = reader
            return reader.day if known.type is FieldType.DATE else reader.instant
        return contact_values.parser_for(known)

    def _names_parser(self, known: Field) -> Read:
        separator = self.options.separator(known.name)

        def parse(text: str) -> tuple[str, ...]:
            names = name_cells.names_in(known.name, text, separator)
            for name in names:
                if known.choices and fold(name) not in known.choices:
                    raise ValueError(f"'{shown(name)}' is not one of {', '.join(known.choices)}")
            return tuple(map(fold, names)) if known.choices else names

        return parse

    def _group_parser(self) -> Read:
        with self.session.store.reading() as connection:
            known = group_ids(connection)
        separator = self.options.separator("group")

        def parse(text: str) -> tuple[str, ...]:
            found = name_cells.names_in("group", text, separator)
            names = tuple(map(name_cells.parse_group_name, found))
            for name in names:
                if not self.options.create_groups and fold(name) not in known:
                    raise ValueError(
                        f"there is no group '{show_safely(name)}'"
                        " (without --no-create-groups it would be created)"
                    )
            return names

        return parse


def _given(name: str, names: tuple[str, ...], parse: Read) -> tuple[str, ...]:
    try:
        if not all(map(str.strip, names)):
            raise ValueError("a name cannot be empty")
        return parse(name_cells.list_cell([*names])) if names else ()
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None


def latest_values(session: Session) -> Mapping[str, str]:
    """The last stored value that is not still to come, of each field that tells the past."""
    instant = stored_instant(session.now)
    today = stored_date(session.now.astimezone(session.time_zone).date())
    activities = ("last_emailed", "last_opened", "last_clicked", "last_machine_opened")
    return {"last_opportunity": today, **dict.fromkeys(("created", *activities), instant)}


def check_date_formats(options: ImportOptions) -> None:
    """UsageError for a date format by which no date can be read."""
    for form in (*options.date_formats, *chain.from_iterable(options.column_date_formats.values())):
        if (mistake := contact_values.mistake_in_format(form)) is not None:
            codes = contact_values.with_codes(form)
            known = "%" not in form and contact_values.mistake_in_format(codes) is None
            raise UsageError(
                f"--date-format '{show_safely(form)}': {mistake}",
                hint=f"write {codes}" if known else _DATE_FORMAT_HINT,
            )


def _status(column: str, text: str) -> str:
    status = fold(text)
    if status not in list(Status):
        raise ValueError(
            f"'{shown(text)}' is neither active nor inactive;"
            f" --inactive-when '{show_safely(column)}=VALUE' says which values mean inactive"
        )
    return status


# Rows of one batch -> waves in which no address occurs twice, so that each can go in as a set


@dataclass(slots=True)
class Waves:
    """Row lists to be put in one after the other; `repeated` rows say what the one before said."""

    rows: list[list[Staged]] = field(default_factory=list)
    repeated: int = 0


def split_into_waves(converted: Converted) -> Waves:
    """The rows as if each were applied alone, in the file's order, in as few waves as possible."""
    rows = converted.rows
    if len({row[KEY] for row in rows}) == len(rows):
        return Waves([rows] if rows else [])
    waves = Waves()
    latest: dict[str, tuple[int, object]] = {}
    for row in rows:
        content = (row[KEY + 1 :], converted.besides(row[0]))
        number, before = latest.get(row[KEY], (-1, None))
        if before == content:
            waves.repeated += 1
            continue
        latest[row[KEY]] = (number + 1, content)
        if number + 1 == len(waves.rows):
            waves.rows.append([])
        waves.rows[number + 1].append(row)
    return waves


def wave_of(
    rows: Sequence[Staged],
    converted: Converted,
    group_ids: Mapping[str, int],
    changes: AddressChanges | None = None,
) -> Wave:
    """The rows with the tags, memberships and reasons to be inactive that they bring."""
    changes = changes or AddressChanges()
    tags, inactive, ids = converted.tags, converted.inactive, converted.external_ids
    members: dict[tuple[int, int], str] = {
        (row[0], group_ids[fold(name)]): state.value
        for state, groups in converted.groups.items()
        if groups
        for row in rows
        for name in groups.get(row[0], ())
    }
    return Wave(
        rows,
        [(row[0], fold(tag), tag) for row in rows for tag in tags.get(row[0], ())] if tags else (),
        [(*member, state) for member, state in members.items()],
        [
            (row[0], reason, inactive[row[0]].since)
            for row in rows
            if row[0] in inactive
            for reason in inactive[row[0]].reasons
        ]
        if inactive
        else (),
        [(row[KEY], ids[row[0]]) for row in rows] if ids else (),
        changes.linked,
        [(row[0],) for row in rows if row[0] in changes.moved] if changes.moved else (),
        [row[KEY] for row in rows if row[0] in converted.active] if converted.active else (),
    )
