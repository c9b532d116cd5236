"""Mails out of files, folders, Maildirs, mboxes and streams."""

import io
import os
import sys
from pathlib import Path

import pytest

from contactctl.domain.errors import InputError
from contactctl.responses.containers import iter_mails
from contactctl.responses.mail import MAX_MAIL_BYTES

ONE = b"From: a@example.org\nSubject: one\n\nfirst\n"
TWO = b"From: b@example.org\nSubject: two\n\nsecond\n>From here\n"
ENVELOPE = b"From MAILER-DAEMON Tue Mar  3 10:15:00 2026\n"
MBOX = ENVELOPE + ONE + b"\n" + ENVELOPE + TWO


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bounce"
    path.write_bytes(ONE)

    assert list(iter_mails(path)) == [(str(path), ONE)]


def test_an_mbox(tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    path.write_bytes(MBOX)

    assert list(iter_mails(path)) == [(f"{path}#1", ONE + b"\n"), (f"{path}#2", TWO)]


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_an_mbox_with_other_line_ends(line_end: bytes) -> None:
    found = list(iter_mails(io.BytesIO(MBOX.replace(b"\n", line_end))))

    assert found == [("-#1", ONE + b"\n"), ("-#2", TWO)]


def test_every_byte_of_an_mbox_is_kept() -> None:
    body = bytes(set(range(256)) - {10, 13})

    ((_, raw),) = iter_mails(io.BytesIO(ENVELOPE + b"A: b\n\n" + body))

    assert raw == b"A: b\n\n" + body


@pytest.mark.parametrize(
    "line", [b"From here on it is text\n", b">From MAILER-DAEMON Tue Mar  3 10:15:00 2026\n"]
)
def test_text_that_resembles_an_envelope(line: bytes) -> None:
    raw = ONE + b"\n" + line

    assert list(iter_mails(io.BytesIO(ENVELOPE + raw))) == [("-#1", raw)]


def test_an_envelope_line_follows_a_blank_line_or_precedes_a_header_field() -> None:
    raw = ONE + ENVELOPE

    assert list(iter_mails(io.BytesIO(ENVELOPE + raw))) == [("-#1", raw)]
    assert list(iter_mails(io.BytesIO(ENVELOPE + raw + TWO))) == [("-#1", ONE), ("-#2", TWO)]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n\r\n", b"\xef\xbb\xbf\n"])
def test_an_mbox_that_does_not_begin_at_its_first_byte(before: bytes) -> None:
    assert len(list(iter_mails(io.BytesIO(before + MBOX)))) == 2


def test_an_mmdf_mailbox() -> None:
    data = b"".join(b"\1\1\1\1\n" + mail + b"\1\1\1\1\n" for mail in (ONE, ENVELOPE + TWO))

    assert list(iter_mails(io.BytesIO(data))) == [("-#1", ONE), ("-#2", ENVELOPE + TWO)]


def test_an_eml_file_is_one_mail_even_with_an_envelope_line(tmp_path: Path) -> None:
    path = tmp_path / "bounce.eml"
    path.write_bytes(MBOX)

    assert list(iter_mails(path)) == [(str(path), MBOX)]


def test_a_folder_in_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.eml", "a.EML", "sub/c.eml", "17", "LICENSE", "truth.jsonl", "d.txt"):
        (tmp_path / name).write_bytes(ONE)
    (tmp_path / "e.mbox").write_bytes(MBOX)

    names = [Path(source).name for source, _ in iter_mails(tmp_path)]

    assert names == ["17", "a.EML", "b.eml", "e.mbox#1", "e.mbox#2", "c.eml"]


def test_a_folder_is_not_left_through_links(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "loop").symlink_to(tmp_path)
    (tmp_path / "a.eml").write_bytes(ONE)

    assert list(iter_mails(tmp_path / "mails")) == []


def test_a_maildir(tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(ONE)
    (tmp_path / "cur" / "2.host:2,S").write_bytes(TWO)
    (tmp_path / "tmp" / "3.host").write_bytes(ONE)
    (tmp_path / "cur" / ".hidden").write_bytes(ONE)
    (tmp_path / "dovecot.index").write_bytes(b"x")

    assert [raw for _, raw in iter_mails(tmp_path)] == [ONE, TWO]


def test_a_maildir_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "box" / "new").mkdir(parents=True)
    (tmp_path / "box" / "new" / "1.host").write_bytes(ONE)

    assert [raw for _, raw in iter_mails(tmp_path)] == [ONE]


def test_a_pipe_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.eml")

    assert list(iter_mails(tmp_path)) == []


def test_a_file_that_vanishes_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "b.eml").write_bytes(TWO)
    mails = iter_mails(tmp_path)
    next(mails)
    (tmp_path / "b.eml").unlink()

    assert list(mails) == []


def test_a_file_that_cannot_be_opened_is_an_empty_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(ONE)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert list(iter_mails(tmp_path)) == [(str(path), b"")]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: No such file"):
        list(iter_mails(tmp_path / "nowhere"))


def test_standard_input_is_named_by_a_dash() -> None:
    stream = io.BufferedReader(io.BytesIO(ONE))  # type: ignore[arg-type]

    assert list(iter_mails(stream)) == [("-", ONE)]


def test_an_empty_stream_is_one_empty_mail() -> None:
    assert list(iter_mails(io.BytesIO(b""))) == [("-", b"")]


class Endless(io.RawIOBase):
    """Bytes without end; counts how many were read."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self.head[: len(buffer)] or b"x" * len(buffer)
        self.head = self.head[len(chunk) :]
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        return len(chunk)


def test_no_more_is_read_than_needed_to_refuse() -> None:
    raw = Endless(ONE)

    ((_, mail),) = iter_mails(io.BufferedReader(raw))  # type: ignore[type-var]

    assert len(mail) == MAX_MAIL_BYTES + 1
    assert raw.count < MAX_MAIL_BYTES + (1 << 20)


def test_a_large_mail_in_an_mbox_is_cut_and_the_next_is_read() -> None:
    large = ONE + b"x" * (MAX_MAIL_BYTES + (1 << 20)) + b"\n\n"

    first, second = iter_mails(io.BytesIO(ENVELOPE + large + ENVELOPE + TWO))

    assert MAX_MAIL_BYTES < len(first[1]) < MAX_MAIL_BYTES + (1 << 17)
    assert second == ("-#2", TWO)


def test_folders_deeper_than_pythons_stack(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(sys.getrecursionlimit() + 200):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    mail = folders[-1] / "one.eml"
    mail.write_bytes(ONE)

    try:
        assert list(iter_mails(tmp_path)) == [(str(mail), ONE)]
    finally:
        mail.unlink()
        for folder in reversed(folders[1:]):  # what removes whole trees cannot do so
            folder.rmdir()
