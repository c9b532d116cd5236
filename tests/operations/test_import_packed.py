"""Files as they come: compressed, in archives, as workbooks."""

import bz2
import gzip
import lzma
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
import zstandard

from contactctl.domain.errors import InputError
from contactctl.operations.importing import source as unpack
from contactctl.store.database.store import Store, open_store
from helpers.imports import contacts_in, import_text


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """How a file is read does not depend on the database."""
    with closing(open_store(sqlite_url)) as store:
        yield store


CONTENT = b"email,first_name\na@x.no,Ann\n"


def workbook(*sheets: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(row)
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def archive(**members: str) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w") as opened:
        for name, text in members.items():
            opened.writestr(name, text)
    return data.getvalue()


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: gzip.compress(data[:20], mtime=0) + gzip.compress(data[20:], mtime=0),
        zstandard.compress,
        lambda data: zstandard.compress(data[:20]) + zstandard.compress(data[20:]),
        lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
        bz2.compress,
        lzma.compress,
    ],
)
def test_compressed_files_are_read(sqlite_store: Store, pack: Any) -> None:
    assert import_text(sqlite_store, pack(CONTENT)).counts == (1, 0, 0, 0)
    record = b'{"email": "b@x.no"}\n'
    assert import_text(sqlite_store, pack(record)).counts == (1, 0, 0, 0)


def test_a_workbook_is_read_as_its_cells_are(sqlite_store: Store) -> None:
    data = workbook(
        [
            [None, None],
            ["email", "phone", "last_opportunity", "attributes.orders", "attributes.vip", None],
            ["a@x.no", 4722000000.0, datetime(2016, 11, 1), 2.5, True],  # noqa: DTZ001
            [None, None],
            ["b@x.no", "'+47 22", date(2016, 11, 1), 3, False],
            ["c@x.no", None, date(2016, 11, 1)],  # a workbook ends a row at its last value
        ],
        [],
    )
    assert import_text(sqlite_store, data).counts == (3, 0, 0, 0)
    contacts = contacts_in(sqlite_store)
    assert contacts["a@x.no"]["phone"] == "4722000000"
    assert contacts["a@x.no"]["attributes"] == {"orders": 2.5, "vip": True}
    assert contacts["b@x.no"]["phone"] == "+47 22"
    assert {contact["last_opportunity"] for contact in contacts.values()} == {date(2016, 11, 1)}


def test_one_sheet_of_several_is_read_by_its_name(sqlite_store: Store) -> None:
    data = workbook([["read me"]], [["email"], ["a@x.no"]])

    assert import_text(sqlite_store, data, sheet="Sheet1").counts == (1, 0, 0, 0)
    with pytest.raises(InputError, match="no sheet 'sheet1' with cells") as caught:
        import_text(sqlite_store, data, sheet="sheet1")
    assert "'Sheet', 'Sheet1'" in caught.value.hint


def test_a_formula_that_nobody_has_computed_is_refused(sqlite_store: Store) -> None:
    data = workbook([["email", "phone"], ["a@x.no", "1"], ["b@x.no", "=B2&C2"]])

    with pytest.raises(InputError, match="cell B3: a formula without a stored result"):
        import_text(sqlite_store, data)
    assert contacts_in(sqlite_store) == {}


@pytest.mark.parametrize(
    ("data", "words", "hint"),
    [
        (gzip.compress(CONTENT, mtime=0)[:-6], "the compressed data is broken", "unpack"),
        (zstandard.compress(CONTENT)[:-3], "the compressed data is broken", "unpack"),
        (zstandard.compress(CONTENT) + b"more", "the compressed data is broken", "unpack"),
        (bz2.compress(CONTENT)[:-9], "the compressed data is broken", "unpack"),
        (lzma.compress(CONTENT)[:-9], "the compressed data is broken", "unpack"),
        (workbook([["email"]], [["email"]]), "more than one sheet: 'Sheet', 'Sheet1'", "--sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an old Office file (.xls)", "CSV"),
        (archive(**{"content.xml": "x"}), "an OpenDocument file (.ods)", "CSV"),
        (archive(**{"members.csv": "email"}), "a ZIP archive", "unpack it first"),
        (archive(**{"xl/workbook.xml": "x"}), "a broken workbook", "CSV"),
        (b"PK\x03\x04broken", "a broken ZIP archive", ""),
        (b"%PDF-1.7", "a PDF file", "CSV"),
    ],
    ids=[
        *("gzip-cut", "zstd-cut", "zstd-and-more", "bzip2-cut", "xz-cut", "two-sheets", "xls"),
        *("ods", "zip", "workbook-broken", "zip-broken", "pdf"),
    ],
)
def test_other_files_are_refused_by_their_names(
    sqlite_store: Store, data: bytes, words: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        import_text(sqlite_store, data)
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_unpacks_to_too_much_is_refused(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "_HARMLESS", 1 << 20)
    with pytest.raises(InputError, match="more than 200 times its size"):
        import_text(sqlite_store, gzip.compress(b"email\n" + b"\n" * (3 << 20), mtime=0))


@pytest.mark.parametrize(
    ("value", "shown_as", "phone"),
    [
        *((47, "00000", "00047"), (47.0, "0000", "0047"), (123456, "000", "123456")),
        *((47, "General", "47"), (47, "0", "47"), (47, "0.00", "47"), (4.5, "000", "4.5")),
    ],
)
def test_a_number_keeps_the_zeros_that_it_is_shown_with(
    sqlite_store: Store, value: float, shown_as: str, phone: str
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    for row in (["email", "phone"], ["a@x.no", value], ["b@x.no", None]):
        book.active.append(row)
    book.active["B2"].number_format = shown_as
    data = BytesIO()
    book.save(data)
    import_text(sqlite_store, data.getvalue())
    assert contacts_in(sqlite_store)["a@x.no"]["phone"] == phone


def test_a_workbook_without_openpyxl_is_refused_by_its_name(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = workbook([["email"], ["a@x.no"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"an Excel workbook \(\.xlsx\)") as caught:
        import_text(sqlite_store, data)
    assert "contactctl[xlsx]" in caught.value.hint


def test_a_text_that_a_formula_keeps_is_that_text(sqlite_store: Store) -> None:
    import_text(sqlite_store, '="email",phone,company\n"=""ann@x.no""",="0047",\'="x"\n')
    (ann,) = contacts_in(sqlite_store).values()
    assert (ann["email"], ann["phone"], ann["company"]) == ("ann@x.no", "0047", '="x"')
