"""How the list of fields is shown."""

from collections.abc import Sequence

from contactctl.domain.criteria.fields import OPERATORS, Field, FieldType
from contactctl.output.presentation import (
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
)

_COLUMNS = (
    Column("name"),
    Column("type"),
    Column("operators", for_people=False),
    Column("choices", for_people=False),
    Column("help", "MEANING", wraps=True),
)


def present_fields(fields: Sequence[Field]) -> Presentation:
    """The fields as rows; people see the operators once per type, below."""
    rows = Rows("fields", _COLUMNS, [_row(field) for field in fields])
    blocks: list[Block] = [RowsTable(), Heading("Operators by type"), _operators_by_type()]
    return Presentation(rows=rows, blocks=blocks)


def _row(field: Field) -> Row:
    return {
        "name": field.name,
        "type": field.type,
        "operators": list(OPERATORS[field.type]),
        "choices": list(field.choices),
        "help": field.help,
    }


def _operators_by_type() -> KeyValues:
    return KeyValues([(kind, " ".join(OPERATORS[kind])) for kind in FieldType])
