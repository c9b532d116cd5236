"""The config of a source: which keys go together, and what each must be."""

from typing import Any

from contactctl.config.database import normalise_database_url
from contactctl.config.schema import ByName, ListOf, Placed, Scalar, Section, Setting
from contactctl.config.values import boolean, duration, one_of, text
from contactctl.domain.sources import DatabaseSource, Missing, WriteBack

_EXAMPLE = "SELECT id, mail, updated_at FROM customers"


def _write_back(
    *, table: str = "", column: str = "", active: str = "active", inactive: str = "inactive"
) -> WriteBack:
    if not table or not column:
        raise ValueError("needs 'table' and 'column'")
    return WriteBack(table, column, active, inactive)


_NEEDED = {
    "url": "postgresql://reader@db.example.com/crm",
    "query": _EXAMPLE,
    "key": "the column that names a contact there, such as id",
}
_FIELDS = {"map": "columns", "ignore": "ignored", "null": "nulls"}


def make_source(name: str, **values: Any) -> DatabaseSource:
    """The source; ValueError if keys are missing."""
    for key, example in _NEEDED.items():
        if key not in values:
            raise ValueError(f"needs '{key}': {example}")
    return DatabaseSource(name, **{_FIELDS.get(key, key): each for key, each in values.items()})


def _url(node: Setting) -> str:
    return normalise_database_url(node.value, node.folder)


def _query(value: Any) -> str:
    """SQL, which may have several lines."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"must be a query such as {_EXAMPLE}")
    return value


def _cell(value: Any) -> str:
    """A cell's text, an empty one too."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


_TEXTS = ListOf(Scalar(text))

SOURCE = Section(
    make_source,
    {
        "url": Placed(_url),
        "query": Scalar(_query),
        "key": Scalar(text),
        "cursor": Scalar(text),
        "overlap": Scalar(duration),
        "missing": Scalar(one_of(Missing)),
        "write_back": Section(
            _write_back,
            {
                "table": Scalar(text),
                "column": Scalar(text),
                "active": Scalar(text),
                "inactive": Scalar(text),
            },
        ),
        "map": ByName("COLUMN", text, Scalar(text)),
        "ignore": _TEXTS,
        "inactive_when": _TEXTS,
        "date_formats": _TEXTS,
        "separators": ByName("FIELD", text, Scalar(text)),
        "null": ListOf(Scalar(_cell)),
        "empty_clears": Scalar(boolean),
        "update_only": Scalar(boolean),
    },
    named=True,
)
