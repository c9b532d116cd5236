"""Frozen dataclasses as plain data, which JSON holds, and back, checked against their types."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from contactctl.domain.criteria.values import format_duration, parse_duration


def to_plain(value: Any) -> Any:
    """A dataclass or one of its values as mappings, lists, texts, numbers, true, false and None.

    Instants are ISO 8601 texts in UTC, with Z, spans are written as in the config. A field whose
    default is None is left out where it has no value.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: to_plain(getattr(value, each.name))
            for each in fields(value)
            if each.default is not None or getattr(value, each.name) is not None
        }
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {key: to_plain(each) for key, each in value.items()}
    return [to_plain(each) for each in value] if isinstance(value, tuple) else value


def from_plain(kind: Any, value: Any) -> Any:
    """The value of a declared type that plain data stand for; ValueError where they do not."""
    if isinstance(kind, UnionType):
        if value is None:
            return None
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if is_dataclass(kind) and isinstance(value, Mapping):
        return _dataclass_of(kind, value)
    return _collection_of(kind, value) if get_args(kind) else _scalar(kind, value)


def _scalar(kind: Any, value: Any) -> Any:
    if kind is Any or type(value) is kind:
        return value
    if isinstance(value, str) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(value, str) and kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(value, str) and kind is timedelta:
        return parse_duration(value)
    raise ValueError(f"{value!r} is not of the type {kind}")


def _collection_of(kind: Any, value: Any) -> Any:
    of = get_args(kind)
    if get_origin(kind) is tuple and isinstance(value, list):
        kinds = of[:1] * len(value) if of[-1] is Ellipsis else of
        return tuple(from_plain(*pair) for pair in zip(kinds, value, strict=True))
    if get_origin(kind) is Mapping and isinstance(value, Mapping):
        return {from_plain(of[0], key): from_plain(of[1], each) for key, each in value.items()}
    raise ValueError(f"{value!r} is not of the type {kind}")


def _dataclass_of(kind: Any, plain: Mapping[str, Any]) -> Any:
    """What the plain data leave out has its default; names that the type does not have are
    passed over."""
    hints = _types_of(kind)
    given = {each.name: plain[each.name] for each in fields(kind) if each.name in plain}
    try:
        return kind(**{name: from_plain(hints[name], each) for name, each in given.items()})
    except TypeError as error:
        raise ValueError(str(error)) from None


@cache
def _types_of(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


# What RFC 8259 leaves to the reader, decided strictly: no NaN, and no name twice (section 4)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is given twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
"""Raises ValueError; RecursionError where the text is nested too deep."""
