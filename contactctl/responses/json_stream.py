"""Strict JSON (RFC 8259): no NaN, no duplicate keys, a limit on depth. Raises only ValueError."""

import codecs
import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

from contactctl.domain.plain_data import STRICT
from contactctl.domain.responses import Rejection

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


# JSON values out of a byte stream: JSON lines, one object, or an array, in flat memory


MAX_LINE_BYTES = 1 << 20
MAX_VALUE_BYTES = 16 << 20  # a page of an API: 10,000 events of SparkPost are 12 MiB
MAX_UNREADABLE_IN_A_ROW = 100
_READ_BYTES = 1 << 16
_KEPT_CHARACTERS = 4_096
_MAX_INDENT = 64
_START = re.compile(r"[^\s,]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_LONG = f"a value of more than {MAX_VALUE_BYTES >> 20} MiB"


class JsonValue(NamedTuple):
    """One value; `place` is `name:line`, inside an array `name:line[index]`."""

    place: str
    value: object


def read_json(stream: BinaryIO, name: str) -> Iterator[JsonValue | Rejection]:
    """The values of a stream; a top-level array, or one on a line, gives its elements.

    A value may have up to MAX_VALUE_BYTES.
    """
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        line = line if number > 1 else line.removeprefix(codecs.BOM_UTF8)
        event = _object_of_line(line)
        if event is not None:
            yield JsonValue(f"{name}:{number}", event)
        elif _goes_on(line):
            yield from _Document(line, stream, name, number).values()
            return
        else:
            yield from _Document(line, BytesIO(), name, number).values()


def bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Line numbers and lines; None in place of a line of more than 1 MiB, which is skipped."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            _skip_rest_of_line(line, stream)
            yield number, None
        else:
            yield number, line


def _skip_rest_of_line(line: bytes, stream: BinaryIO) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_LINE_BYTES)


def _object_of_line(line: bytes) -> object | None:
    """The one object of a line; None for all else, which a document reads or rejects in detail."""
    try:
        text = line.decode().strip()
        if not text.startswith("{"):
            return None
        value, end = decode_at(text, 0)
    except ValueError:
        return None
    return value if end == len(text) else None


def _goes_on(line: bytes) -> bool:
    """Whether what begins in this line may end in another."""
    return len(line) > MAX_LINE_BYTES or is_cut_off(line.decode(errors="replace").strip())


class _Document:
    """Values through a window onto the stream: `text[at:]` is yet to be read, `at` is in `line`.

    Bytes that are not UTF-8 are lone surrogates in the window. Arrays are flattened; `index` counts
    in the innermost.
    """

    def __init__(self, first: bytes, stream: BinaryIO, name: str, line: int) -> None:
        self.stream = stream
        self.name = name
        self.line = line
        self.index: int | None = None
        self.indent = ""
        self.unreadable_in_a_row = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.text = self.decoder.decode(first)
        self.at = 0
        self.ended = False

    def values(self) -> Iterator[JsonValue | Rejection]:
        while self._find_next():
            yield self._read_value()
            if self.unreadable_in_a_row == MAX_UNREADABLE_IN_A_ROW:
                yield Rejection(self._place(), "too many unreadable values: the rest is left out")
                return
            if self.index is not None:
                self.index += 1
        if self.index is not None:
            yield Rejection(self._place(), "the array does not end: the input may be cut off")

    def _place(self) -> str:
        return f"{self.name}:{self.line}" + ("" if self.index is None else f"[{self.index}]")

    def _find_next(self) -> bool:
        """Go to the next value, into arrays and out of them; False at the end of the input."""
        while True:
            start = _START.search(self.text, self.at)
            if start is None:
                self._move_to_last_line()
                if not self._read_more():
                    return False
                continue
            self._note_indent(start.start())
            self._move_to(start.start())
            if start[0] not in "[]":
                return True
            self.index = 0 if start[0] == "[" else None
            self.at += 1

    def _read_value(self) -> JsonValue | Rejection:
        while True:
            value, reason = None, ""
            try:
                value, end = decode_at(self.text, self.at)
            except ValueError as error:
                reason = str(error)
                end = skip_at(self.text, self.at) or self.at
            if end > self.at:
                return self._take(end, value, reason)
            if not self._read_more():
                return self._give_up_value(reason)

    def _take(self, end: int, value: object, reason: str) -> JsonValue | Rejection:
        place, raw = self._place(), self.text[self.at : end]
        self._move_to(end)
        self.unreadable_in_a_row = 0
        if not raw.isascii() and _LONE_SURROGATE.search(raw):
            reason = reason or "not UTF-8"
        if len(raw) > MAX_VALUE_BYTES:
            reason = _TOO_LONG
        return Rejection(place, reason, _bytes(raw)) if reason else JsonValue(place, value)

    def _give_up_value(self, reason: str) -> Rejection:
        """Reject what has no recognisable end, up to the next line that begins like its own."""
        self.unreadable_in_a_row += 1
        too_long = len(self.text) - self.at > MAX_VALUE_BYTES
        place, start = self._place(), self.text[self.at : self.at + _KEPT_CHARACTERS]
        next_value = re.compile(rf"\n{self.indent}[{{\[]")
        while not (found := next_value.search(self.text, self.at + 1)):
            self._move_to(max(self.at, len(self.text) - len(self.indent) - 2))
            if not self._read_more():
                self._move_to(len(self.text))
                break
        else:
            start = start[: found.start() - self.at]
            self._move_to(found.start() + 1)
        return Rejection(place, f"{_TOO_LONG}, or cut off" if too_long else reason, _bytes(start))

    def _note_indent(self, start: int) -> None:
        line_start = self.text.rfind("\n", self.at, start) + 1
        between = self.text[line_start:start] if line_start else ""
        self.indent = between if len(between) <= _MAX_INDENT and not between.strip() else ""

    def _move_to_last_line(self) -> None:
        """Leave only the indent of what may follow."""
        newline = max(self.at, self.text.rfind("\n", self.at))
        short = len(self.text) - newline <= _MAX_INDENT
        self._move_to(newline if short else len(self.text))

    def _move_to(self, position: int) -> None:
        self.line += self.text.count("\n", self.at, position)
        self.at = position

    def _read_more(self) -> bool:
        """Widen the window, dropping what has been read; False at its limit or at the end."""
        left = len(self.text) - self.at
        if self.ended or left > MAX_VALUE_BYTES:
            return False
        chunk = self.stream.read(max(_READ_BYTES, left))
        self.ended = not chunk
        more = self.decoder.decode(chunk, final=self.ended)
        self.text = self.text[self.at :] + more
        self.at = 0
        return bool(chunk or more)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
