"""How the configuration is shown, and the list of fields."""

from collections.abc import Sequence
from pathlib import Path

from contactctl.config.settings import LoadedSettings
from contactctl.config.show import ConfigRow, config_rows
from contactctl.domain.criteria.fields import OPERATORS, Field, FieldType
from contactctl.domain.text import counted
from contactctl.output.presentation import (
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
    Table,
    Text,
    Verbatim,
)

_COLUMNS = (Column("key"), Column("value", wraps=True), Column("origin", wraps=True))


def present_config(loaded: LoadedSettings) -> Presentation:
    """One row per setting: dotted key, value with secrets hidden, and its origin.

    People see the files once, and then only their names.
    """
    rows = config_rows(loaded)
    data = {"files": [str(path) for path in loaded.files]}
    blocks: list[Block] = [Table(_COLUMNS, [_row(row, loaded.files) for row in rows])]
    if loaded.files:
        files = [("Files" if at == 0 else "", str(path)) for at, path in enumerate(loaded.files)]
        blocks.insert(0, KeyValues(files))
    return Presentation(data, Rows("settings", _COLUMNS, [_row(row) for row in rows]), blocks)


def _row(row: ConfigRow, files: Sequence[Path] = ()) -> Row:
    return {"key": row.key, "value": row.value, "origin": _shortened(row.origin, files)}


def _shortened(origin: str, files: Sequence[Path]) -> str:
    """`contactctl.yaml:12`, where only one of these files has that name."""
    names = [path.name for path in files]
    for path in files:
        if origin.startswith(f"{path}:") and names.count(path.name) == 1:
            return path.name + origin.removeprefix(str(path))
    return origin


def present_config_paths(files: Sequence[Path], would_be: Path) -> Presentation:
    """The files that are read, the strongest first; `would_be` is what `init` would write."""
    data = {"files": [str(path) for path in files], "strongest": str(would_be)}
    if files:
        return Presentation(data, None, [Verbatim("\n".join(map(str, files)))])
    note = f"no config file is read; `contactctl init` would write {would_be}"
    return Presentation(data, notes=[note])


def present_config_check(loaded: LoadedSettings) -> Presentation:
    """That it can be used; what it warns of has been said already."""
    files = [str(path) for path in loaded.files]
    data = {"files": files, "warnings": list(loaded.warnings)}
    warned = f"; {counted(len(loaded.warnings), 'warning')}" if loaded.warnings else ""
    read = ", ".join(files) or "no file, only the defaults"
    return Presentation(data, None, [Text(f"The config can be used{warned}: {read}")])


# How the list of fields is shown


_FIELD_COLUMNS = (
    Column("name"),
    Column("type"),
    Column("operators", for_people=False),
    Column("choices", for_people=False),
    Column("help", "MEANING", wraps=True),
)


def present_fields(fields: Sequence[Field]) -> Presentation:
    """The fields as rows; people see the operators once per type, below."""
    rows = Rows("fields", _FIELD_COLUMNS, [_field_row(field) for field in fields])
    blocks: list[Block] = [RowsTable(), Heading("Operators by type"), _operators_by_type()]
    return Presentation(rows=rows, blocks=blocks)


def _field_row(field: Field) -> Row:
    return {
        "name": field.name,
        "type": field.type,
        "operators": list(OPERATORS[field.type]),
        "choices": list(field.choices),
        "help": field.help,
    }


def _operators_by_type() -> KeyValues:
    return KeyValues([(kind, " ".join(OPERATORS[kind])) for kind in FieldType])
