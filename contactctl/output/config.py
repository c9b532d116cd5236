"""How the configuration is shown."""

from contactctl.config.settings import LoadedSettings
from contactctl.config.show import config_rows
from contactctl.output.presentation import Column, Presentation, Rows, RowsTable

_COLUMNS = (Column("key"), Column("value", wraps=True), Column("origin", wraps=True))


def present_config(loaded: LoadedSettings) -> Presentation:
    """One row per setting: dotted key, value with secrets hidden, and its origin."""
    rows = [
        {"key": row.key, "value": row.value, "origin": row.origin} for row in config_rows(loaded)
    ]
    data = {"files": [str(path) for path in loaded.files]}
    return Presentation(data, Rows("settings", _COLUMNS, rows), [RowsTable()])
