"""The bytes of an import: a file, or standard input kept aside; all checked before any is used."""

import codecs
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO

from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.text import show_safely, text_codec
from contactctl.operations.importing.unpack import unpacked

_CHUNK = 1 << 20
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Source:
    """An input that can be read more than once: `size` bytes, with `lines` line ends in them.

    `longest_line` is in bytes, and known to a chunk: lines are only told apart where it matters.
    `delimiter` is what separates cells, where the kind of file tells.
    """

    name: str
    stream: IO[bytes]
    encoding: str
    lines: int
    size: int
    longest_line: int
    delimiter: str | None = None

    def text(self) -> TextIOWrapper:
        """The whole text from the start, line ends as they are (what the csv module wants)."""
        self.stream.seek(0)
        # buffering belongs to `stream`, which outlives the wrapper
        return _Borrowed(self.stream, encoding=self.encoding, newline="")


class _Borrowed(TextIOWrapper):
    """A text layer that leaves the bytes below it open."""

    def __del__(self) -> None:
        if not self.closed:
            self.detach()


@contextmanager
def open_source(path: Path | None, stdin: BinaryIO, encoding: str) -> Iterator[Source]:
    """The file at `path`, or standard input; InputError unless all of it is text in `encoding`."""
    _require_encoding(encoding)
    name = show_safely(str(path)) if path else "standard input"
    with _seekable(path, stdin) as packed, unpacked(packed, name) as text:
        stream, encoding = text.stream, text.encoding or encoding
        _refuse_utf_16(stream, name, encoding)
        lines, longest = _count_lines(stream, name, encoding)
        size = stream.tell()
        yield Source(name, stream, encoding, lines, size, longest, text.delimiter)


@contextmanager
def _seekable(path: Path | None, stdin: BinaryIO) -> Iterator[IO[bytes]]:
    if path is None:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stdin, copy, _CHUNK)
            yield copy
        return
    try:
        opened = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    with opened:
        if stat.S_ISCHR(os.fstat(opened.fileno()).st_mode) and not opened.isatty():
            raise InputError(f"cannot read {path}: it is a device, not a file")
        if not opened.seekable():  # a pipe with a name
            with _seekable(None, opened) as copy:
                yield copy
            return
        yield opened


def _require_encoding(encoding: str) -> None:
    if text_codec(encoding) is None:
        raise UsageError(
            f"unknown encoding '{show_safely(encoding)}'",
            hint="for example utf-8, cp1252, latin-1, utf-16",
        )


def _refuse_utf_16(stream: IO[bytes], name: str, encoding: str) -> None:
    stream.seek(0)
    if stream.read(2) in _UTF_16_MARKS and codecs.lookup(encoding).name.startswith("utf-8"):
        raise InputError(f"{name} is UTF-16 text, not UTF-8", hint="add --encoding utf-16")


def _another(encoding: str) -> str:
    """What to try after an encoding that does not fit; latin-1 takes every byte."""
    return "cp1252" if encoding.startswith("utf") else "latin-1"


def _count_lines(stream: IO[bytes], name: str, encoding: str) -> tuple[int, int]:
    """The number of lines, all of them decoded once, and the bytes of the longest, where it is
    longer than a chunk; InputError names the first wrong byte."""
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    consumed = lines = unended = longest = 0
    while True:
        chunk = stream.read(_CHUNK)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = consumed - waiting + error.start
            line = lines + chunk[: max(error.start - waiting, 0)].count(b"\n") + 1
            raise InputError(
                f"{name}, line {line}, byte {at + 1}: not valid {encoding.removesuffix('-sig')}",
                hint=f"name the file's own encoding, for example --encoding {_another(encoding)}",
            ) from error
        if not chunk:
            return lines, longest
        consumed += len(chunk)
        last_end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        longest = max(longest, unended + _first_end(chunk))
        unended = len(chunk) - last_end - 1 + (unended if last_end < 0 else 0)
        lines += chunk.count(b"\n")


def _first_end(chunk: bytes) -> int:
    """Where the first line in the chunk ends; its length where none does."""
    ends = [at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0]
    return min(ends, default=len(chunk))
