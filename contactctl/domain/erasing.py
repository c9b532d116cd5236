"""Taking addresses out of free text: diagnostics, reasons, criteria kept with runs."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from contactctl.domain.text import fold

ERASED = "[erased]"

# = stays outside, so that "email=ada@example.com" holds an address
_LOCAL = r"[\w.!#$%&'*+/?^`{|}~-]+"
_DOMAIN = r"[\w-]+(?:\.[\w-]+)+"
_ADDRESS = re.compile(rf"({_LOCAL})@({_DOMAIN})")
_VERP = re.compile(rf"({_LOCAL})=({_DOMAIN})(?=@)")
_MARKS = "'`*/{|."  # what may stand in front of an address, and could belong to it


def spellings(email: str, key: str) -> frozenset[str]:
    """The ways in which text may spell a contact's address, folded."""
    return frozenset((key, fold(email)))


def placeholder(contact_id: int) -> str:
    """What an anonymised contact has in place of an address; no address can be equal to it."""
    return f"erased-{contact_id}"


def erase_from(text: str, erased: Collection[str]) -> str:
    """The text without these addresses, whether plain or as a bounce address carries them."""
    if "@" not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        return _without(match, erased)

    return _ADDRESS.sub(replaced, _VERP.sub(replaced, text))


def erase_from_json(value: Any, erased: Collection[str]) -> Any:
    """The same for every text in a JSON value, keys included."""
    if isinstance(value, str):
        return erase_from(value, erased)
    if isinstance(value, Mapping):
        return {
            erase_from(key, erased): erase_from_json(each, erased) for key, each in value.items()
        }
    if isinstance(value, list):
        return [erase_from_json(each, erased) for each in value]
    return value


def _without(match: re.Match[str], erased: Collection[str]) -> str:
    """What is left of one address-like text, prefixes such as `'` or `bounce+` included."""
    local, domain = match.groups()
    starts = (0, len(local) - len(local.lstrip(_MARKS)), local.find("+") + 1)
    for start in sorted(set(starts)):
        if fold(f"{local[start:]}@{domain}") in erased:
            return local[:start] + ERASED
    return match.group()
