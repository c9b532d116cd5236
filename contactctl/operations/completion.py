"""What the shell can complete: names that the config and the store know.

A completion says nothing rather than something wrong: no error, no prompt, no store created.
Nothing here may import SQLAlchemy, which takes longer than a person waits.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from contactctl.config.load import load_settings
from contactctl.config.settings import Settings
from contactctl.domain.errors import ContactctlError
from contactctl.store import completion as names


def settings_in_force(
    config: Path | None, database: str | None, environ: Mapping[str, str], cwd: Path
) -> Settings | None:
    """The settings as a command would have them; None where it would be refused."""
    try:
        return load_settings(
            config_path=config, database=database, environ=environ, cwd=cwd
        ).settings
    except (ContactctlError, OSError):
        return None


def group_names(settings: Settings) -> Sequence[str]:
    """Groups in the store; none where it is missing, busy or slow."""
    return names.group_names(settings.database)


def run_numbers(settings: Settings) -> Sequence[str]:
    """Numbers of the latest runs, the latest first; none where the store cannot be read."""
    return names.run_numbers(settings.database)


def input_formats(settings: Settings) -> Sequence[str]:
    """The formats of responses, the config's own among them."""
    from contactctl.responses.formats.reader import sender_names  # noqa: PLC0415 - as below
    from contactctl.responses.read import FORMATS  # noqa: PLC0415 - not for group names

    return ["auto", *FORMATS, *dict.fromkeys((*sender_names(), *settings.formats))]
