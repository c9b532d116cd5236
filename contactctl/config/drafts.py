"""Files written whole or not at all: a full disk or a kill must not leave half of one."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contactctl.domain.errors import InputError

_WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
OWNER_ALONE, AS_USUAL = 0o600, 0o666  # the process's umask takes away from it


@contextmanager
def draft_of(path: Path, text: str, mode: int = AS_USUAL) -> Iterator[Path]:
    """A file beside `path` with the text, on the disk, to be put in its place; gone at the end.

    Raises OSError.
    """
    draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def replace_file(path: Path, text: str) -> None:
    """Put the text in the file's place in one step: whoever reads it sees the old or the new one.

    A link stays one. Raises OSError, for what is there and is no file as well.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "It is not a file")
    with draft_of(target, text) as draft:
        draft.replace(target)


def replace_own(path: Path, text: str, beginning: str, what: str) -> None:
    """The same for a file that begins as those of ours do, or is empty; any other is left alone.

    `what` is what ours is. Raises InputError.
    """
    try:
        if path.is_file() and not _begins(path, beginning):
            raise InputError(f"{path} exists, and is not {what}", hint="name another file")
        replace_file(path, text)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _begins(path: Path, beginning: str) -> bool:
    with path.open("rb") as file:
        found = file.read(len(beginning.encode()))
    return not found or found == beginning.encode()


def give_name(draft: Path, path: Path) -> None:
    """Have the draft named `path`, as no rename does it: another's file is never replaced.

    Raises FileExistsError, and other OSErrors.
    """
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        # such as exFAT, of a disk that is carried away: the name is taken first
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, OWNER_ALONE))
        draft.replace(path)
