"""Names of tags and groups, and cells that hold several of them in one text."""

import csv
import json
import re
from collections.abc import Sequence

from contactctl.domain.contact_values import parse_text
from contactctl.domain.criteria.values import shown
from contactctl.domain.text import UNSAFE_CHARACTERS, fold

MAX_NAME = 100
NAME_SEPARATORS = ";|"
_NAME_SEPARATOR = re.compile(f"[{NAME_SEPARATORS}]")
LIST_MARK = "\x1e"  # before each name of a list that came as one (JSON), and needs no splitting

# ; and | separate names unless something else is said; a line break does so always
_COMMAS = ",\u060c\u061b\u3001\ufe10\ufe14\uff0c\uff1b\uff5c"
_QUOTES = '"\u00ab\u00bb\u201c\u201d\u201e\u201f\uff02'
_UNSAID = re.compile(f"[{_COMMAS}{_QUOTES}]")
_LINE_BREAKS = re.compile(r"[\r\n]+")
_UNSAID_SEPARATORS = re.compile(f"[{NAME_SEPARATORS}\r\n]")
HTML_ENTITY = "&(?:amp|quot|apos|lt|gt|nbsp|#x?[0-9a-fA-F]{2,6});"
_SPLITS_ENTITY = re.compile(HTML_ENTITY)
# a list as JSON, Python or Postgres write it
_WRITTEN_LIST = re.compile(
    r"""\s*[\[{](?P<inner>[^"'\[\]{}]*((?P<quote>["']).*)?)[\]}]\s*\Z""", re.DOTALL
)


def parse_group_name(text: str) -> str:
    """A group's name: trimmed, not empty, at most 100 characters, none of them invisible."""
    name = text.strip()
    if not name:
        raise ValueError("a name cannot be empty")
    if UNSAFE_CHARACTERS.search(name):
        raise ValueError("a name cannot contain control or invisible characters")
    return _checked_name(name)


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME:
        raise ValueError(f"'{shown(name)}' is longer than {MAX_NAME} characters")
    if _NAME_SEPARATOR.search(name):
        raise ValueError("a name cannot contain ; or |, which separate names")
    return parse_text(name)


def list_cell(names: list[str]) -> str:
    """A list of names as one cell that `names_in` splits again, whatever they contain."""
    return "".join(LIST_MARK + name for name in names)


def names_cell(names: list[str]) -> str:
    """Names as one cell of a CSV file: with `;` between them, or as JSON where `names_in` could not
    tell them apart then."""
    joined = ";".join(names)
    if _UNSAID.search(joined) or joined[:1] in ("[", "{"):
        return json.dumps(names, ensure_ascii=False)
    return joined


def names_in(field: str, text: str, separator: str | None) -> tuple[str, ...]:
    """The names in a cell of the field `tag` or `group`, each different one once.

    `separator` None: ; and | separate, and a comma or a quote is a ValueError, since nobody can
    tell whether it is part of a name. Otherwise names may be quoted as in RFC 4180. A list in
    brackets or braces (`["a","b"]`, `{a,b}`) says by itself what it holds.
    """
    if text.startswith(LIST_MARK):
        return unique_names(text[1:].split(LIST_MARK))
    if written := _WRITTEN_LIST.match(text):
        return unique_names(_written_list(text, written))
    if separator in (None, ";") and (found := _SPLITS_ENTITY.search(text)):
        raise ValueError(
            f"'{shown(text)}' contains {found[0]}, an HTML entity, whose semicolon would split it:"
            " write the character itself"
        )
    if separator is not None:
        if others := set(text) & set(NAME_SEPARATORS) - set(separator):
            other = min(others)
            raise ValueError(
                f"'{shown(text)}' contains {other}, which no name does:"
                f" --separator '{field}={other}' splits there"
            )
        lines = _LINE_BREAKS.split(text)
        return unique_names([name for line in lines for name in _quoted(line, separator)])
    if found := _UNSAID.search(text):
        mark = "a quote" if found[0] in _QUOTES else "a comma"
        comma = "," if found[0] in _QUOTES else found[0]
        raise ValueError(
            f"'{shown(text)}' contains {mark}: --separator '{field}={comma}' splits at commas,"
            f" --separator '{field}=;' does not"
        )
    return unique_names(_UNSAID_SEPARATORS.split(text))


def _written_list(text: str, written: re.Match[str]) -> list[str]:
    """The names in brackets or braces; ValueError for anything but names in there."""
    try:
        names = json.loads(text) or []
    except ValueError:
        row = csv.reader(
            [written["inner"]],
            quotechar=written["quote"] or '"',
            escapechar="\\",
            skipinitialspace=True,
            strict=True,
        )
        try:
            names = next(row, [])
        except csv.Error as error:
            raise ValueError(f"'{shown(text)}' cannot be split: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"'{shown(text)}' is not a list of names")
    return names


def _quoted(text: str, separator: str) -> list[str]:
    if len(separator) > 1:  # csv knows no such separators, nor do their writers quote
        return text.split(separator)
    try:
        rows = list(csv.reader([text], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(f"'{shown(text)}' cannot be split: {error}") from None
    return rows[0] if rows else []


def unique_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names, trimmed, without empty ones and without a second spelling of the same one."""
    by_folded: dict[str, str] = {}
    for text in texts:
        if name := text.strip():
            by_folded.setdefault(fold(name), _checked_name(name))
    return tuple(by_folded.values())
