"""The commented config that `init` writes, and that the project shows as config.example.yaml."""

import json
from importlib.resources import files

_DATABASE_SAMPLE = "#:database: sqlite:///contacts.db\n"


def example_text(database_url: str = "") -> str:
    """The example config: loadable as it stands, samples of the other keys behind `#:`.

    With a `database_url` the config names that database.
    """
    text = files("contactctl.config").joinpath("example.yaml").read_text(encoding="utf-8")
    if not database_url:
        return text
    return text.replace(_DATABASE_SAMPLE, f"database: {json.dumps(database_url)}\n", 1)
