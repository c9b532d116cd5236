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


def files_in(stream: BinaryIO, name: str) -> Iterator[File]:
    """The files of an archive under the names `archive/member`; each is open until the next.

    Hidden ones, and those of macOS' `__MACOSX`, are left out, links and folders too. Raises
    InputError for an archive that is damaged, encrypted, or packed in a way unknown here.
    """
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        is_zip = copy.read(len(_ZIP[0])) in _ZIP
        copy.seek(0)
        with _told(name):
            for member, file in _of_zip(copy) if is_zip else _of_tar(copy):
                if not any(part.startswith((".", "__MACOSX")) for part in member.split("/")):
                    yield f"{name}/{member}", file


def _of_zip(stream: IO[bytes]) -> Iterator[File]:
    with zipfile.ZipFile(stream) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename):
            if member.flag_bits & _ENCRYPTED:
                raise RuntimeError(f"'{member.filename}' is encrypted")
            if not member.is_dir():
                with archive.open(member) as file:
                    yield member.filename, cast("BinaryIO", file)


def _of_tar(stream: IO[bytes]) -> Iterator[File]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name.removeprefix("./"), cast("BinaryIO", file)
        # tarfile takes a header that is cut off for the end, which is a block of zeros (POSIX)
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it has no end")


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
