"""The files in a ZIP or tar archive, one at a time, as a folder has them."""

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from contactctl.domain.errors import InputError

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an empty one
_TAR_AT, _TAR = 257, b"ustar"
_ENCRYPTED = 1  # PKWARE's APPNOTE, 4.4.4
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)

File = tuple[str, BinaryIO]


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is a ZIP or a tar archive."""
    return head.startswith(_ZIP) or head.startswith(_TAR, _TAR_AT)


def files_in(stream: BinaryIO, head: bytes, name: str) -> Iterator[File]:
    """The files of an archive that begins with `head`, under the names `archive/member`; each is
    open until the next.

    Hidden ones, and those of macOS' `__MACOSX`, are left out, links and folders too. Raises
    InputError for an archive that is damaged, encrypted, or packed in a way unknown here.
    """
    with _told(name):
        for member, file in _of_zip(stream) if head.startswith(_ZIP) else _of_tar(stream):
            if not any(map(_is_hidden, member.split("/"))):
                yield f"{name}/{member}", file


def _is_hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))


def _of_zip(stream: BinaryIO) -> Iterator[File]:
    with _seekable(stream) as whole, zipfile.ZipFile(whole) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename):
            if member.flag_bits & _ENCRYPTED:
                raise RuntimeError(f"'{member.filename}' is encrypted")
            if not member.is_dir():
                with archive.open(member) as file:
                    yield member.filename, cast("BinaryIO", file)


@contextmanager
def _seekable(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """A ZIP archive's table of contents is its end: what comes through a pipe is kept aside."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        yield copy


def _of_tar(stream: BinaryIO) -> Iterator[File]:
    """Read as it comes, whatever it unpacks to."""
    watched = _Watched(stream)
    with tarfile.open(fileobj=cast("IO[bytes]", watched), mode="r|") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name.removeprefix("./"), cast("BinaryIO", file)
    # tarfile takes a header that is cut off for the end, which is two blocks of zeros (POSIX)
    watched.read(tarfile.RECORDSIZE)
    if watched.end != bytes(2 * tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it has no end")


class _Watched:
    """A stream, and what was last read of it: as much as the end of a tar archive."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.end = b""

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(size)
        self.end = (self.end + found)[-2 * tarfile.BLOCKSIZE :]
        return found


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise InputError(f"{name}: a damaged archive: {error}", hint="copy it again") from error
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(
            f"{name}: {error}", hint="unpack it, and give the folder that comes out"
        ) from error
