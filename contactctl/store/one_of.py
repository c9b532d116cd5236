"""A test against many values with one bound parameter: databases limit how many there may be."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, any_, func, literal, select


def is_one_of(
    connection: Connection, column: ColumnElement[Any], texts: Collection[str]
) -> ColumnElement[bool]:
    """True where the text column holds one of these."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(texts))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(texts), ARRAY(Text)))
