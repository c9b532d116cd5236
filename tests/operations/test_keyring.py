"""The key file: private, made once, replaced in one step."""

import errno
import os
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest

from contactctl.domain.erasure import Keyring
from contactctl.domain.errors import StoreError
from contactctl.operations import secrets as module
from contactctl.operations.secrets import create_key_file, new_key, read_keyring, write_keyring

not_on_windows = pytest.mark.skipif(os.name == "nt", reason="has no such modes")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "suppression.key"


def write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


@pytest.mark.parametrize("has_links", [True, False], ids=["", "as on exFAT"])
def test_the_key_file_is_private_and_made_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:
        refused = OSError(errno.EOPNOTSUPP, "Operation not supported")
        monkeypatch.setattr("os.link", Mock(side_effect=refused))
    assert create_key_file(path)
    made = path.read_text()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not create_key_file(path)
    assert path.read_text() == made
    assert [file.name for file in path.parent.iterdir()] == ["suppression.key"]


def test_who_makes_it_in_the_same_moment_finds_the_first_one_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a hash might be made with a key that is overwritten in the next moment."""
    first = new_key()

    def second_key() -> object:
        write(path, first.secret.hex())
        return new_key()

    monkeypatch.setattr(module, "new_key", second_key)

    assert not create_key_file(path)
    assert read_keyring(path).current == first
    assert [file.name for file in path.parent.iterdir()] == ["suppression.key"]


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "abc", "zz" * 32, "ab" * 16, "\u00e5" * 64, b"\xff\x00" * 9]
)
def test_a_broken_key_file_is_an_error(path: Path, content: str | bytes) -> None:
    write(path, content)
    with pytest.raises(StoreError, match="cannot be used"):
        read_keyring(path)


def test_a_missing_or_unreadable_key_file_is_an_error(path: Path) -> None:
    with pytest.raises(StoreError, match="missing") as missing:
        read_keyring(path)
    assert "backup" in missing.value.hint
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be used: Is a directory"):
        read_keyring(path)


@not_on_windows
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o606, 0o777])
def test_a_key_that_others_may_read_or_change_is_refused(path: Path, mode: int) -> None:
    write(path, new_key().secret.hex(), mode)
    with pytest.raises(StoreError, match=f"open to others \\(mode {mode:04o}\\)") as refused:
        read_keyring(path)
    assert "chmod 600" in refused.value.hint


@not_on_windows
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_root_replaces_the_key_file_of_somebody_else_and_it_stays_his(path: Path) -> None:
    write(path, new_key().secret.hex())
    os.chown(path, 4321, 4322)

    write_keyring(path, Keyring((new_key(), *read_keyring(path).keys)))

    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322)


@not_on_windows
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_a_group_may_share_it_and_still_may_when_it_is_replaced(path: Path, mode: int) -> None:
    write(path, new_key().secret.hex(), mode)
    ring = Keyring((new_key(), *read_keyring(path).keys))

    write_keyring(path, ring)

    assert read_keyring(path) == ring
    assert stat.S_IMODE(path.stat().st_mode) == mode


@not_on_windows
def test_a_link_to_where_secrets_are_kept_stays_one(tmp_path: Path, path: Path) -> None:
    create_key_file(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    ring = Keyring((new_key(),))

    write_keyring(link, ring)

    assert link.is_symlink()
    assert read_keyring(path) == ring


def test_what_cannot_be_written_leaves_the_old_keys(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_key_file(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        write_keyring(path, Keyring((new_key(),)))

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["suppression.key"]
