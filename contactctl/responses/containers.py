"""Mails out of files, folders of .eml files, Maildirs, mbox files and streams, one at a time."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import chain, pairwise
from pathlib import Path, PurePath
from typing import BinaryIO

from contactctl.domain.errors import InputError
from contactctl.responses.mail import MAX_MAIL_BYTES

ONE_MAIL_SUFFIX = ".eml"
_MAIL_SUFFIXES = (ONE_MAIL_SUFFIX, ".mbox", ".mbx")
_MAX_LINE_CHARACTERS = 1 << 16
_HEAD_BYTES = 1 << 12
_MBOX_START = b"From "
# A line that starts a mail in an mbox: the envelope sender and a date (RFC 4155).
_ENVELOPE = re.compile(r"From \S{1,320} .{0,80}\d\d:\d\d")
# The same where no blank line stands before, as some programs put mails together: the date whole.
_WHOLE_ENVELOPE = re.compile(
    r"From \S{1,320}  ?(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d(:\d\d)?"
    r"[ +\-A-Z\d]{5,14}$"
)
_HEADER_FIELD = re.compile(r"[!-9;-~]{1,80}: ?\S")
_MMDF = "\1\1\1\1\n"  # the line before and after each mail of an MMDF mailbox


def iter_mails(container: Path | BinaryIO) -> Iterator[tuple[str, bytes]]:
    """(source, raw mail) of every mail in a file, folder or binary stream.

    A file that starts with an mbox envelope line is an mbox (unless it is called .eml), one that
    starts with four 0x01 an MMDF mailbox; their sources are `path#1`, `path#2`. A folder with `new`
    or `cur` is a Maildir; in any other folder, and those below it, .eml, .mbox and numbered (MH)
    files are read, in order of their names. Of a mail larger than MAX_MAIL_BYTES only so much is
    read that it can be refused; a file in a folder that cannot be opened counts as an empty mail.
    Raises InputError when `container` cannot be opened.
    """
    if not isinstance(container, Path):
        yield from _mails_of_stream(container, _name_of(container))
    elif container.is_dir():
        yield from _mails_of_folder(container)
    else:
        try:
            file = container.open("rb")
        except OSError as error:
            raise InputError(f"{container}: {error.strerror}", hint="check the path") from error
        with file:
            yield from _mails_of_file(file, container)


def _name_of(stream: BinaryIO) -> str:
    name = getattr(stream, "name", "-")
    return name if isinstance(name, str) and name != "<stdin>" else "-"


def _mails_of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in _files_of_folder(folder):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue  # a mail program moved it from new to cur
        except OSError:
            yield str(path), b""
            continue
        with file:
            yield from _mails_of_file(file, path)


def other_files(folder: Path) -> Iterator[Path]:
    """The files below a folder that `iter_mails` leaves, but for hidden ones."""
    return _files_of_folder(folder, _other_entries)


def _other_entries(folder: Path) -> Iterator[Path]:
    is_maildir = any((folder / name).is_dir() for name in ("new", "cur"))
    for path in sorted(folder.iterdir()):
        is_folder = path.is_dir() and not path.is_symlink() and not is_maildir
        is_left = path.is_file() and not path.name.startswith(".")
        if is_folder or (is_left and (is_maildir or not is_called_mail(path))):
            yield path


def is_called_mail(path: PurePath) -> bool:
    """Whether a file in a folder is called as mails are, or as MH numbers them."""
    return path.suffix.lower() in _MAIL_SUFFIXES or path.name.isdecimal()


def _files_of_folder(
    folder: Path, entries: Callable[[Path], Iterator[Path]] | None = None
) -> Iterator[Path]:
    """The files below a folder. Without recursion: folders may be deeper than Python's stack."""
    entries = entries or _entries
    entered = [entries(folder)]
    while entered:
        entry = next(entered[-1], None)
        if entry is None:
            entered.pop()
        elif entry.is_dir():
            entered.append(entries(entry))
        else:
            yield entry


def _entries(folder: Path) -> Iterator[Path]:
    """The mails of a Maildir; of any other folder those that look like mails, and its folders."""
    maildir = [folder / name for name in ("new", "cur") if (folder / name).is_dir()]
    for path in chain.from_iterable(sorted(part.iterdir()) for part in maildir):
        if path.is_file() and not path.name.startswith("."):
            yield path
    for path in [] if maildir else sorted(folder.iterdir()):
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder or (path.is_file() and is_called_mail(path)):
            yield path


def _mails_of_file(file: BinaryIO, path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() == ONE_MAIL_SUFFIX:
        yield str(path), file.read(MAX_MAIL_BYTES + 1)
    else:
        yield from _mails_of_stream(file, str(path))


def _mails_of_stream(stream: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    head = stream.read(_HEAD_BYTES)
    beginning = head.removeprefix(BOM_UTF8).lstrip(b"\r\n")
    if beginning.startswith((_MBOX_START, _MMDF.rstrip().encode())):
        yield from _mails_of_mbox(BufferedReader(Replayed(beginning, stream, name)), name)
    else:
        yield name, head + stream.read(MAX_MAIL_BYTES + 1 - len(head))


def _mails_of_mbox(stream: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    """The mails of an mbox, without envelope lines, where a quoted `>From ` stays; or of MMDF."""
    # latin-1 keeps every byte; newline=None reads CRLF and bare CR as line ends too
    lines = TextIOWrapper(stream, encoding="latin-1", newline=None)
    try:
        for number, mail in enumerate(_mails_between(_lines_of(lines)), start=1):
            yield f"{name}#{number}", mail.encode("latin-1")
    finally:
        lines.detach()


def _lines_of(lines: TextIOWrapper) -> Iterator[str]:
    while line := lines.readline(_MAX_LINE_CHARACTERS):
        yield line


def _mails_between(lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, "")
    is_mmdf = first == _MMDF
    kept: list[str] = []
    size = 0
    before = "\n"
    for line, following in pairwise(chain(lines, ("",))):
        if line == _MMDF if is_mmdf else _starts_mail(before, line, following):
            if kept or not is_mmdf:
                yield "".join(kept)
            kept, size = [], 0
        elif size <= MAX_MAIL_BYTES:
            kept.append(line)
            size += len(line)
        before = line
    if kept or not is_mmdf:
        yield "".join(kept)


def _starts_mail(before: str, line: str, following: str) -> bool:
    if not line.startswith("From "):
        return False
    if before == "\n":
        return _ENVELOPE.match(line) is not None
    return bool(_WHOLE_ENVELOPE.match(line) and _HEADER_FIELD.match(following))


class Replayed(RawIOBase):
    """A stream that begins again with what was already read from it."""

    def __init__(self, head: bytes, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._head = memoryview(head)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)
