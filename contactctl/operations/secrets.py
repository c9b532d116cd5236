"""Keys and passwords: from a file, a variable, or a command; and the key file of suppressions.

The key file is kept apart from the database, closed to all but its owner and who may share it.
"""

import os
import secrets
import shlex
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from contactctl.config.drafts import OWNER_ALONE, draft_of, give_name
from contactctl.domain.erasure import KEY_BYTES, Key, Keyring, format_keyring, parse_keyring
from contactctl.domain.errors import ConfigError, StoreError
from contactctl.domain.sources import Mailbox, ProviderSource, Secret

_LONGEST = 10_000  # a device has no end
_COMMAND_S = 60.0


def read_secret(secret: Secret, whose: str, environ: Mapping[str, str]) -> str:
    """The key, one line. `whose` is said in errors, which never contain it. Raises ConfigError."""
    if secret.command is not None:
        return _printed(secret.command, whose)
    if secret.file is None:
        variable = secret.env or ""
        if not environ.get(variable):
            raise ConfigError(
                f"{whose}: {variable} is not set",
                hint="it must contain the password; or use a file",
            )
        return environ[variable]
    try:
        with secret.file.open(encoding="utf-8") as file:
            first_line = file.readline(_LONGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"{whose}: {secret.file}: {reason}",
            hint="the file contains the password in its first line",
        ) from error
    if not first_line:
        raise ConfigError(f"{whose}: {secret.file} is empty")
    return first_line


def _printed(command: str, whose: str) -> str:
    """The first line that a command prints; what else it says goes to stderr as it is."""
    try:
        done = subprocess.run(
            shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_S, check=False
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{whose}: token_command: {reason}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"{whose}: token_command has not ended within {_COMMAND_S:.0f} s",
            hint="it must not ask anything",
        ) from None
    token = done.stdout[:_LONGEST].decode(errors="replace").partition("\n")[0].strip()
    if done.returncode or not token or not token.isprintable():
        said = f"has failed ({done.returncode})" if done.returncode else "prints no token"
        raise ConfigError(
            f"{whose}: token_command {said}", hint="run it yourself: it must print the token alone"
        )
    return token


# The key file: kept apart from the database, closed to all but its owner and who may share it


# a group may read it: operators of one host share the key
_TOO_OPEN = stat.S_IWGRP | stat.S_IRWXO


def create_key_file(path: Path) -> bool:
    """A key file with a new key, unless there is one; whether it was made.

    Of two processes at once only one makes it, and the other finds it whole.
    """
    if path.exists():
        return False
    with _written(path, Keyring((new_key(),))) as draft:
        try:
            give_name(draft, path)
        except FileExistsError:
            return False
    return True


def new_key() -> Key:
    """A key from the operating system's random numbers."""
    return Key(secrets.token_bytes(KEY_BYTES))


def read_keyring(path: Path) -> Keyring:
    """The keys in the file; StoreError when it is missing, open to others, or no key file."""
    try:
        with path.open(encoding="ascii") as file:
            _require_closed(path, os.fstat(file.fileno()).st_mode)
            return parse_keyring(file.read())
    except FileNotFoundError:
        raise StoreError(
            f"the suppression key {path} is missing",
            hint="restore it from your backup, or name it as suppression_key_file in the config;"
            " without it nobody can tell which addresses were erased",
            code="no-suppression-key",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"the suppression key {path} cannot be used: {reason}",
            hint="the user who runs this must be able to read the file that `contactctl init` made",
            code="suppression-key",
        ) from None


def write_keyring(path: Path, keyring: Keyring) -> None:
    """Replace the key file in one step: after a crash it is the old one or the new one."""
    target = path.resolve()  # a link to where secrets are kept stays one
    with _written(target, keyring) as draft:
        before = target.stat()
        draft.chmod(stat.S_IMODE(before.st_mode))
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        if is_root or draft.stat().st_gid != before.st_gid:
            # who replaces the file of somebody else, as root alone may, leaves it to its owner
            os.chown(draft, before.st_uid if is_root else -1, before.st_gid)
        draft.replace(target)


def copy_keyring(path: Path, keyring: Keyring, now: datetime) -> Path:
    """A copy of the key file beside it, named after the time; it never replaces another one."""
    target = path.resolve()
    stem = f"{target.name}.{now:%Y%m%dT%H%M%SZ}"
    with _written(target, keyring) as draft:
        for number in count():
            copied = target.with_name(f"{stem}.{number}" if number else stem)
            try:
                give_name(draft, copied)
            except FileExistsError:
                continue
            return copied
    raise AssertionError("unreachable")


def _require_closed(path: Path, mode: int) -> None:
    if os.name != "nt" and mode & _TOO_OPEN:
        raise StoreError(
            f"the suppression key {path} is open to others (mode {stat.S_IMODE(mode):04o})",
            hint=f"`chmod 600 {path}`; with the key and the database anybody can test whether an"
            " address was erased",
            code="suppression-key",
        )


@contextmanager
def _written(path: Path, keyring: Keyring) -> Iterator[Path]:
    """A draft beside `path`, on the disk before it takes its place, which is kept on the disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with draft_of(path, format_keyring(keyring), OWNER_ALONE) as draft:
            yield draft
            _keep_on_disk(path.parent)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def _keep_on_disk(folder: Path) -> None:
    """A hash must never be committed before the name of its key's file."""
    if os.name == "nt":
        return  # a folder cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_key(source: ProviderSource, environ: Mapping[str, str]) -> str:
    """The key of a provider's API; empty for Amazon. Raises ConfigError."""
    if source.secret is None:
        return ""
    key = read_secret(source.secret, f"source {source.name}", environ).strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"source {source.name}: the key has a character that no key has")
    return key


def read_password(mailbox: Mailbox, environ: Mapping[str, str]) -> str:
    """The password, or the token of an access by OAuth 2.0. Raises ConfigError."""
    secret = Secret(mailbox.password_file, mailbox.password_env, mailbox.token_command)
    return read_secret(secret, f"mailbox {mailbox.name}", environ)
