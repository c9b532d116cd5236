"""How to show a result: what --format and --fields say."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contactctl.domain.errors import UsageError


class OutputFormat(StrEnum):
    """What --format takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True)
class OutputChoice:
    """The format, and the fields asked for (empty: all)."""

    format: OutputFormat = OutputFormat.TABLE
    fields: tuple[str, ...] = ()

    def check_fields(self, known: Sequence[str]) -> None:
        """Raise UsageError unless every field asked for is one of `known`."""
        for name in self.fields:
            if name not in known:
                raise UsageError(f"unknown field '{name}' in --fields", hint=_hint(name, known))


def _hint(name: str, known: Sequence[str]) -> str:
    from contactctl.domain.fields import did_you_mean  # noqa: PLC0415 - not for --help

    if not known:
        return "this result has no fields to choose from"
    return did_you_mean(name, list(known)) or f"known fields: {', '.join(known)}"
