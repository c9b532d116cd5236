"""What reads the cells of each column, with all that was said about the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from contactctl.domain.cells import DateReader, mistake_in_format, names_in
from contactctl.domain.contact_values import parse_group_name, parser_for, with_codes
from contactctl.domain.contacts import Status
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import UsageError
from contactctl.domain.text import fold, show_safely
from contactctl.operations.importing.columns import (
    GROUP_ACTIVE,
    GROUP_INACTIVE,
    FileColumn,
    date_formats_of,
)
from contactctl.operations.importing.convert import Read, value_parser
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.session import Session
from contactctl.store.groups import group_ids
from contactctl.store.imports import stored_date
from contactctl.store.staged import stored_instant

_DATE_FORMAT_HINT = "use iso, epoch, excel or strptime codes, for example %d.%m.%Y or %Y%m%d"
_GROUP_FIELDS = ("group", GROUP_ACTIVE.name, GROUP_INACTIVE.name)


@dataclass
class ColumnReading:
    """Gives what reads each column; `dates` are the readers of the date columns, by field."""

    session: Session
    options: ImportOptions
    dates: dict[str, DateReader] = field(default_factory=dict)

    def __call__(self, column: FileColumn, known: Field) -> Read:
        """The parser of a column's cells, which gives values as staged rows hold them."""
        return value_parser(known, self._parser(column, known))

    def _parser(self, column: FileColumn, known: Field) -> Read:
        if known.name in _GROUP_FIELDS:
            return self._group_parser()
        if known.name == "status":
            return lambda text: _status(column.name, text)
        if known.type is FieldType.SET:
            return self._names_parser(known)
        if known.type in (FieldType.DATE, FieldType.INSTANT):
            formats = date_formats_of(self.options, column.name)
            reader = DateReader(formats, self.session.time_zone)
            self.dates[known.name] = reader
            return reader.day if known.type is FieldType.DATE else reader.instant
        return parser_for(known)

    def _names_parser(self, known: Field) -> Read:
        separator = self.options.separator(known.name)

        def parse(text: str) -> tuple[str, ...]:
            names = names_in(known.name, text, separator)
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
            names = tuple(map(parse_group_name, names_in("group", text, separator)))
            for name in names:
                if not self.options.create_groups and fold(name) not in known:
                    raise ValueError(
                        f"there is no group '{show_safely(name)}'"
                        " (without --no-create-groups it would be created)"
                    )
            return names

        return parse


def latest_values(session: Session) -> Mapping[str, str]:
    """The last stored value that is not still to come, of each field that tells the past."""
    instant = stored_instant(session.now)
    past_instants = (
        *("last_emailed", "last_opened", "last_clicked", "last_machine_opened"),
        "created",
    )
    today = stored_date(session.now.astimezone(session.time_zone).date())
    return {"last_opportunity": today, **dict.fromkeys(past_instants, instant)}


def check_date_formats(options: ImportOptions) -> None:
    """UsageError for a date format by which no date can be read."""
    for form in (*options.date_formats, *chain.from_iterable(options.column_date_formats.values())):
        if (mistake := mistake_in_format(form)) is not None:
            codes = with_codes(form)
            known = "%" not in form and mistake_in_format(codes) is None
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
