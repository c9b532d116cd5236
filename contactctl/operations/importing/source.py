"""The bytes of an import: a file, or standard input kept aside; all checked before any is used.

Compressed files and workbooks become the text inside; they are told by their first bytes, not by
names.
"""

import bz2
import codecs
import gzip
import lzma
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO, cast

from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.text import show_safely, text_codec
from contactctl.operations.importing.workbook import SAVE_AS_CSV, write_sheet

_CHUNK = 1 << 20
_ZSTD_CHUNK = 1 << 10  # a few bytes can mean 128 KiB, and all that comes out is held
_HARMLESS = 1 << 30  # bytes that may come out of any file, however small
_MOST_PACKED = 200  # times; text packs 3 to 20 times, a bomb a thousand
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_SCHEMES = {f"{scheme}:" for scheme in ("http", "https", "ftp", "sftp", "s3", "gs")}
_DOWNLOAD = (
    "only files are read, and standard input: `curl -fsSL URL | contactctl ... -`, or download it"
)
_OTHER_OFFICE = {
    "content.xml": "an OpenDocument file (.ods)",
    "word/document.xml": "a Word file",
}

Unpack = Callable[[IO[bytes]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Bytes of text; of a workbook its encoding and delimiter are known."""

    stream: IO[bytes]
    encoding: str | None = None
    delimiter: str | None = None


@contextmanager
def unpacked(stream: IO[bytes], name: str, sheet: str | None = None) -> Iterator[Unpacked]:
    """The text in a seekable stream: out of gzip, zstd, bzip2, xz, .xlsx (of its `sheet`), or else
    as it is.

    InputError for another archive or workbook, a broken one, and one that unpacks to too much.
    """
    stream.seek(0)
    start = stream.read(8)
    stream.seek(0)
    if start.startswith(_ZIP):
        with tempfile.TemporaryFile() as copy:
            _unpack_workbook(stream, copy, name, sheet)
            yield Unpacked(copy, "utf-8", ",")
        return
    if start == _OLD_OFFICE:
        raise InputError(f"{name} is an old Office file (.xls)", hint=SAVE_AS_CSV)
    if start.startswith(b"%PDF"):
        raise InputError(f"{name} is a PDF file", hint="export the contacts as CSV")
    unpack = next((found for magic, found in _UNPACKERS.items() if start.startswith(magic)), None)
    if unpack is None:
        yield Unpacked(stream)
        return
    with tempfile.TemporaryFile() as copy:
        _copy(unpack, stream, copy, name)
        yield Unpacked(copy)


def _chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _zstd_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of all frames. Its own stream reader would take a frame cut off for a whole one."""
    import zstandard  # noqa: PLC0415  (few files need it)

    try:
        frame = zstandard.ZstdDecompressor().decompressobj()
        while packed := stream.read(_ZSTD_CHUNK):
            while packed:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(packed)
                packed = frame.unused_data
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from error
    if not frame.eof:
        raise EOFError("the last frame is not complete")


_UNPACKERS: dict[bytes, Unpack] = {
    b"\x1f\x8b": lambda stream: _chunks_of(cast("IO[bytes]", gzip.GzipFile(fileobj=stream))),
    b"\x28\xb5\x2f\xfd": _zstd_chunks,
    b"BZh": lambda stream: _chunks_of(cast("IO[bytes]", bz2.BZ2File(stream))),
    b"\xfd7zXZ\x00": lambda stream: _chunks_of(cast("IO[bytes]", lzma.LZMAFile(stream))),  # noqa: SIM115
}


def _copy(unpack: Unpack, stream: IO[bytes], copy: IO[bytes], name: str) -> None:
    packed = stream.seek(0, 2)
    stream.seek(0)
    try:
        for chunk in unpack(stream):
            copy.write(chunk)
            _require_harmless(copy.tell(), packed, name)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(
            f"{name}: the compressed data is broken: {error}",
            hint="is the file complete? unpack it yourself to see",
        ) from error


def _require_harmless(size: int, packed: int, name: str) -> None:
    if size > max(_HARMLESS, packed * _MOST_PACKED):
        raise InputError(
            f"{name} unpacks to more than {_MOST_PACKED} times its size",
            hint="unpack it yourself, look at it, and import the text",
        )


def _unpack_workbook(stream: IO[bytes], copy: IO[bytes], name: str, sheet: str | None) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise InputError(f"{name}: a broken ZIP archive: {error}") from error
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        kind = next((kind for part, kind in _OTHER_OFFICE.items() if part in names), "")
        unpack = "unpack it first, and import the files in it one by one"
        raise InputError(
            f"{name} is {kind or 'a ZIP archive'}", hint=SAVE_AS_CSV if kind else unpack
        )
    _require_harmless(sum(member.file_size for member in members), stream.seek(0, 2), name)
    write_sheet(stream, copy, name, sheet)


# The bytes of an import: a file, or standard input kept aside; all checked before any is used


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
def open_source(
    path: Path | None, stdin: BinaryIO, encoding: str, sheet: str | None = None
) -> Iterator[Source]:
    """The file at `path`, or standard input; InputError unless all of it is text in `encoding`."""
    _require_encoding(encoding)
    name = show_safely(str(path)) if path else "standard input"
    with _seekable(path, stdin) as packed, unpacked(packed, name, sheet) as text:
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
        hint = _DOWNLOAD if _SCHEMES & set(path.parts) else ""
        raise InputError(f"cannot read {path}: {error.strerror}", hint=hint) from error
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
    """UTF-16 begins with its mark; without one, every other byte of a header is NUL."""
    if not codecs.lookup(encoding).name.startswith("utf-8"):
        return
    stream.seek(0)
    start = stream.read(8)
    if start[:2] in _UTF_16_MARKS:
        raise InputError(f"{name} is UTF-16 text, not UTF-8", hint="add --encoding utf-16")
    for first, order in ((1, "le"), (0, "be")):
        if len(start) == 8 and not any(start[first::2]) and all(start[1 - first :: 2]):
            raise InputError(
                f"{name} is UTF-16 text, not UTF-8", hint=f"add --encoding utf-16-{order}"
            )


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
