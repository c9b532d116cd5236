"""How the configuration is shown."""

from collections.abc import Sequence
from pathlib import Path

from contactctl.config.settings import LoadedSettings
from contactctl.config.show import ConfigRow, config_rows
from contactctl.output.presentation import (
    Block,
    Column,
    KeyValues,
    Presentation,
    Row,
    Rows,
    Table,
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
