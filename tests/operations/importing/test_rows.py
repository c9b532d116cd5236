"""CSV and JSON lines as rows."""

import csv
import json
from io import BytesIO, StringIO
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.rows import read_rows
from contactctl.operations.importing.source import open_source
from helpers.sessions import ATTRIBUTES

CATALOGUE = FieldCatalogue(ATTRIBUTES)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=8)


def read(data: bytes, **options: object) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """Rows, and line and reason of each reject."""
    with open_source(None, BytesIO(data), "utf-8-sig") as source:
        batches = list(read_rows(source, ImportOptions(**options), CATALOGUE).batches)
    rows = [list(row) for row in chain.from_iterable(batch.rows for batch in batches)]
    rejects = chain.from_iterable(batch.rejects for batch in batches)
    return rows, [(reject.line, reject.reason) for reject in rejects]


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=12),
    st.sampled_from([",", ";", "\t"]),
    st.integers(1, 5),
)
def test_csv_is_read_as_it_was_written(
    rows: list[tuple[str, str]], delimiter: str, size: int
) -> None:
    text = StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["email", "first_name"])
    writer.writerows(rows)
    found, rejects = read(text.getvalue().encode(), batch_rows=size)
    assert found == [list(row) for row in rows]
    assert rejects == []


@given(st.binary(max_size=200))
def test_any_bytes_after_a_header_are_rows_or_rejects(data: bytes) -> None:
    text = b"email,first_name\n" + data.decode("latin-1").encode()
    rows, rejects = read(text, batch_rows=3)
    assert all(len(row) == 2 for row in rows)
    assert all(line >= 2 and reason for line, reason in rejects)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)
def test_any_json_is_a_row_or_a_reject(value: object) -> None:
    line = json.dumps({"email": value, "tag": value, "attributes": value})
    rows, rejects = read(line.encode())
    assert len(rows) + len(rejects) == 1


def test_a_column_of_json_holds_attributes() -> None:
    text = """email,attributes,tier
a@x.no,"{""plan"": ""free"", ""orders"": 7, ""vip"": true}",gold
b@x.no,,
c@x.no,"{""vip"": null}",
d@x.no,"{""plan"": no}",
e@x.no,[1],
f@x.no,"{""tier"": ""gold""}",
g@x.no,"{""city"": ""Oslo""}",
"""
    rows, rejects = read(text.encode(), ignored=frozenset({"attributes.city"}))
    given = [[cell for cell in row[3:] if cell] for row in rows]
    assert given == [["free", "7", "true"], [], [], []]
    assert [len(row) for row in rows] == [len(rows[0])] * 4
    assert [line for line, _ in rejects] == [5, 6, 7]
    assert [line for line, _ in read(text.encode())[1]] == [5, 6, 7, 8]


def test_long_cells_and_lines_are_rejected_and_the_rest_is_read() -> None:
    long = "x" * 1_100_000
    rows, rejects = read(f"email,first_name\na@x.no,{long}\nb@x.no,B\n".encode())
    assert rows == [["b@x.no", "B"]]
    assert [line for line, _ in rejects] == [2]


def test_no_part_of_an_overlong_json_line_is_taken_for_a_line() -> None:
    record = '{"email": "a@x.no", "first_name": "'
    record += "x" * ((1 << 22) - len(record)) + '{"email": "smuggled@x.no"}'
    rows, rejects = read(f'{record}\n{{"email": "b@x.no"}}\nbad\n'.encode())
    assert [row[0] for row in rows] == ["b@x.no"]
    assert [line for line, _ in rejects] == [1, 3]
    assert "longer than" in rejects[0][1]


def test_an_empty_json_file_has_no_rows() -> None:
    from contactctl.operations.importing.options import FileFormat

    assert read(b"\n \n", format=FileFormat.JSONL) == ([], [])


def test_batches_of_long_lines_are_small() -> None:
    def largest_batch(line: str) -> int:
        data = "email,first_name\n" + f"{line}\n" * 6000
        with open_source(None, BytesIO(data.encode()), "utf-8-sig") as source:
            return max(map(len, read_rows(source, ImportOptions(), CATALOGUE).batches))

    assert largest_batch("a@x.no,A") == 6000
    assert largest_batch(f"a@x.no,{'x' * 4000}") < 1100
