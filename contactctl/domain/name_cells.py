"""Tags and groups as cells hold them: several names in one text."""

import csv
import re

from contactctl.domain.contact_values import parse_names, unique_names
from contactctl.domain.values import shown

LIST_MARK = "\x1e"  # before each name of a list that came as one (JSON), and needs no splitting

_UNSAID = re.compile('[,"]')
_MARKS = {",": "a comma", '"': "a quote"}


def list_cell(names: list[str]) -> str:
    """A list of names as one cell that `names_in` takes apart again, whatever they hold."""
    return "".join(LIST_MARK + name for name in names)


def names_in(field: str, text: str, separator: str | None) -> tuple[str, ...]:
    """The names in a cell of the field `tag` or `group`, each different one once.

    `separator` None: ; and | separate, and a comma or a quote is a ValueError, since nobody can
    tell whether it is part of a name. Otherwise names may be quoted as in RFC 4180.
    """
    if text.startswith(LIST_MARK):
        return unique_names(text[1:].split(LIST_MARK))
    if separator is not None:
        return unique_names(_quoted(text, separator))
    if found := _UNSAID.search(text):
        raise ValueError(
            f"'{shown(text)}' holds {_MARKS[found[0]]}: --separator '{field}=,' splits at commas,"
            f" --separator '{field}=;' does not"
        )
    return parse_names(text)


def _quoted(text: str, separator: str) -> list[str]:
    if len(separator) > 1:  # csv knows no such separators, nor do their writers quote
        return text.split(separator)
    try:
        rows = list(csv.reader([text], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(f"'{shown(text)}' cannot be taken apart: {error}") from None
    return rows[0] if rows else []
