"""The key file: kept apart from the database, readable by its owner alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from contactctl.domain.errors import StoreError
from contactctl.domain.suppression import (
    KEY_BYTES,
    Key,
    Keyring,
    format_keyring,
    parse_keyring,
)


def create_key_file(path: Path) -> bool:
    """A key file with a new key, unless there is one; whether it was made."""
    if path.exists():
        return False
    write_keyring(path, Keyring((new_key(),)))
    return True


def new_key() -> Key:
    """A key from the operating system's random numbers."""
    return Key(secrets.token_bytes(KEY_BYTES))


def read_keyring(path: Path) -> Keyring:
    """The keys in the file; StoreError when it is missing or holds something else."""
    try:
        return parse_keyring(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise StoreError(
            f"the suppression key {path} is missing",
            hint="bring it back from your backup, or name it as suppression_key_file in the config;"
            " without it nobody can tell which addresses were erased",
            code="no-suppression-key",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"the suppression key {path} cannot be used: {reason}", code="suppression-key"
        ) from None


def write_keyring(path: Path, keyring: Keyring) -> None:
    """Replace the key file in one step: after a crash it is the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(format_keyring(keyring))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
