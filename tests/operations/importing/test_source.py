"""The bytes of an import: files, pipes, encodings."""

import os
import threading
from io import BytesIO
from pathlib import Path

import pytest

from contactctl.domain.errors import InputError
from contactctl.operations.importing.presets import preset_for
from contactctl.operations.importing.source import open_source

CHUNK = 1 << 20


def lines_in(data: bytes, encoding: str = "utf-8-sig") -> int:
    with open_source(None, BytesIO(data), encoding) as source:
        return source.lines


@pytest.mark.parametrize("place", [0, 7, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3(", b"\xe2\x82("])
def test_the_first_wrong_byte_is_named(place: int, wrong: bytes) -> None:
    data = b"x" * place + wrong + b"y" * 100
    with pytest.raises(InputError, match=rf"line 1, byte {place + 1}: not valid utf-8"):
        lines_in(data)


@pytest.mark.parametrize("place", [CHUNK - 3, CHUNK - 2, CHUNK - 1])
def test_characters_across_the_borders_of_what_is_read_at_once_are_fine(place: int) -> None:
    assert lines_in(b"x" * place + "€💥\n".encode() * 3) == 3


def test_text_that_ends_within_a_character_is_wrong() -> None:
    with pytest.raises(InputError, match="line 2, byte 3:"):
        lines_in(b"x\n\xc3")


def test_the_line_of_a_wrong_byte_counts_from_the_start() -> None:
    with pytest.raises(InputError, match=rf"line {CHUNK // 2 + 11}, byte"):
        lines_in(b"x\n" * (CHUNK // 2 + 10) + b"\xff")


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffemail\nåse@x.no\n".encode())
    with open_source(path, BytesIO(), "utf-8-sig") as source:
        assert source.text().readline() == "email\n"
        assert source.text().read() == "email\nåse@x.no\n"


def test_a_named_pipe_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"email\na@x.no\n"))
    writer.start()
    with open_source(path, BytesIO(), "utf-8-sig") as source:
        assert (source.lines, source.text().read()) == (2, "email\na@x.no\n")
    writer.join()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with (
            pytest.raises(InputError, match="cannot read"),
            open_source(path, BytesIO(), "utf-8-sig"),
        ):
            pass


def test_a_preset_is_named_where_it_says_what_the_column_means() -> None:
    assert preset_for(["Record ID", "Email", "Email Opt Out"], saying=["Email Opt Out"]) == ""
    hubspot = ["Record ID", "Email", "Unsubscribed from all email"]
    assert preset_for(hubspot, saying=hubspot[2:]) == preset_for(hubspot) == "hubspot"
