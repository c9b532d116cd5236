"""JSON objects -> cells: a line of JSON lines, and a cell that holds the attributes as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.criteria.fields import ATTRIBUTE_PREFIX, Field, FieldType
from contactctl.domain.criteria.values import shown_json
from contactctl.domain.errors import UsageError
from contactctl.domain.name_cells import list_cell
from contactctl.domain.plain_data import STRICT
from contactctl.domain.text import show_safely, trim
from contactctl.operations.importing.columns import ATTRIBUTES, ColumnNames, FileColumn
from contactctl.operations.importing.presets import plain

Cell = str | None


@dataclass(frozen=True, slots=True)
class JsonKeys:
    """What an object's keys give: fields, and behind them the keys that say who is inactive."""

    names: ColumnNames
    fields: Sequence[Field]
    spoken_of: Mapping[str, int]

    @classmethod
    def of(
        cls, names: ColumnNames, fields: Sequence[Field], spoken_of: Sequence[str]
    ) -> "JsonKeys":
        """For objects that may give any of these fields; `spoken_of` are keys with a rule."""
        return cls(names, fields, {plain(name): at for at, name in enumerate(spoken_of)})

    def besides(self, columns: Sequence[FileColumn]) -> "JsonKeys":
        """For the objects in one column: what the other columns do not give."""
        given = {column.field.name for column in columns if column.field}
        names = {plain(column.name) for column in columns}
        fields = [
            known
            for known in self.fields
            if known.name not in given and self.names.may_be_nested(known)
        ]
        return self.of(self.names, fields, [key for key in self.spoken_of if key not in names])

    @property
    def columns(self) -> list[FileColumn]:
        """What the cells of `cells` are."""
        columns = [FileColumn(known.name, known) for known in self.fields]
        return [*columns, *(FileColumn(name, None) for name in self.spoken_of)]

    def cells(self, record: Mapping[str, Any], *, decided: bool) -> list[Cell]:
        """An object's cells; `decided`: by now nothing may look like consent that nobody spoke of.
        ValueError or UsageError for what no cell can hold."""
        values: dict[str, Any] = {}
        said: list[Cell] = [None] * len(self.spoken_of)
        for name, value in record.items():
            at = self.spoken_of.get(plain(name)) if self.spoken_of else None
            if at is not None:
                said[at] = _plain_cell(value)
            known = self.names.resolve(name)
            if known is not None:
                if known.name in values:
                    raise ValueError(f"the field '{known.name}' is given twice")
                values[known.name] = value
            elif decided and name in self.names.undecided:
                raise ValueError(
                    f"'{show_safely(name)}' looks like consent or status:"
                    " say what it means with --inactive-when or --ignore"
                )
        if "email" not in values and (path := _path_to_objects(record)):
            raise ValueError(
                f"no email, but objects inside: `jq -c '{path}'` gives them one by one"
            )
        cells = [
            _cell(known, values.pop(known.name)) if known.name in values else None
            for known in self.fields
        ]
        for name in values:
            raise ValueError(f"the field '{name}' is given twice")
        return [*cells, *said]


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with `attributes: {plan: ...}` written as `attributes.plan: ...`."""
    nested = record.get(ATTRIBUTES)
    if not isinstance(nested, dict):
        return dict(record)
    return {name: value for name, value in record.items() if name != ATTRIBUTES} | _named(nested)


def attributes_in(cell: str) -> dict[str, Any]:
    """The attributes that a cell holds as a JSON object; ValueError for anything else."""
    if not cell.strip():
        return {}
    try:
        found = STRICT.decode(cell)
    except json.JSONDecodeError as error:
        raise ValueError(f"{ATTRIBUTES}: {json_problem(error)}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{ATTRIBUTES}: not a JSON object")
    return _named(found)


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{ATTRIBUTE_PREFIX}{name}": value for name, value in attributes.items()}


def json_problem(error: Exception) -> str:
    """Why an object is rejected."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (column {error.colno})"
    if isinstance(error, UsageError) and error.hint:
        return f"{error.message} ({error.hint})"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _path_to_objects(record: Mapping[str, Any]) -> str:
    """Where an API's answer has its list of objects, as jq writes it: `.data.results[]`; or ''."""
    for name, value in record.items():
        if not name.isidentifier():
            continue
        if isinstance(value, list) and any(isinstance(each, dict) for each in value):
            return f".{name}[]"
        inner = _path_to_objects(value) if isinstance(value, dict) else ""
        if inner:
            return f".{name}{inner}"
    return ""


def _plain_cell(value: Any) -> str:
    """A JSON value of any type as the text of a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# a column's date formats know what a number counts; databases export telephone numbers as numbers
_TAKE_NUMBERS = {
    int: (FieldType.DATE, FieldType.INSTANT, FieldType.TEXT),
    float: (FieldType.DATE, FieldType.INSTANT),
}


def _cell(known: Field, value: Any) -> str:
    """A JSON value as the text that the field's parser reads; ValueError for another type."""
    if known.type is FieldType.SET:
        return "" if value is None else _set_cell(known, value)
    if known.type is FieldType.BOOLEAN and isinstance(value, bool):
        return "true" if value else "false"
    if known.type is FieldType.NUMBER and isinstance(value, int | float):
        if not isinstance(value, bool):
            return number_text(value)
    elif value is None:
        return ""
    elif isinstance(value, str) and known.type not in (FieldType.NUMBER, FieldType.BOOLEAN):
        return trim(value)
    elif known.type in _TAKE_NUMBERS.get(type(value), ()):
        return repr(value)
    raise ValueError(f"{known.name}: {shown_json(value)} where a {known.type} belongs")


def number_text(value: float) -> str:
    """The number without an exponent."""
    return f"{value:f}" if "e" in repr(value) else repr(value)


def _set_cell(known: Field, value: Any) -> str:
    if isinstance(value, str):
        return trim(value)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{known.name}: not a list of texts")
    return list_cell([trim(item) for item in value])
