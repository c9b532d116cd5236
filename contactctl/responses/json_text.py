"""Strict JSON (RFC 8259): no NaN, no duplicate keys, a limit on depth. Raises only ValueError."""

import json
import re
from typing import Any

from contactctl.domain.strict_json import STRICT

MAX_DEPTH = 64


def decode(text: str) -> object:
    """The one value of a text. Raises ValueError with a reason in words."""
    value, end = decode_at(text, 0)
    if text[end:].strip():
        raise ValueError(f"more text after the value, at character {end + 1}")
    return value


def decode_at(text: str, start: int) -> tuple[object, int]:
    """The value that begins at `start`, and where it ends. Raises ValueError."""
    try:
        value, end = STRICT.raw_decode(text, start)
    except ValueError as error:
        raise ValueError(_reason(error)) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _may_be_deep(text, start, end) and _is_deeper(value, MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    return value, end


def skip_at(text: str, start: int) -> int | None:
    """Where the value at `start` ends, however odd it is; None where that cannot be told."""
    try:
        return _LENIENT.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def is_cut_off(text: str) -> bool:
    """Whether a text stops inside a value, at a place where a further line may go on."""
    start = _VISIBLE.search(text)
    while start:
        try:
            end = _LENIENT.raw_decode(text, start.start())[1]
        except json.JSONDecodeError as error:
            return error.pos >= len(text)
        except (ValueError, RecursionError):
            return False
        start = _VISIBLE.search(text, end)
    return False


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    reason = str(error)
    return "a number of too many digits" if "set_int_max_str_digits" in reason else reason


def _may_be_deep(text: str, start: int, end: int) -> bool:
    return text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH


def _is_deeper(value: object, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)


_VISIBLE = re.compile(r"\S")
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_LENIENT = json.JSONDecoder(strict=False, parse_int=len, parse_float=len)
