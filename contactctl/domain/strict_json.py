"""What RFC 8259 leaves to the reader, decided strictly: no NaN, and no name twice (section 4)."""

import json
from typing import Any, NoReturn


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is given twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
"""Raises ValueError; RecursionError where the text is nested too deep."""
