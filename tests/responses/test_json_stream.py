"""JSON in every shape in which providers and scripts save it, whole and broken."""

import json
import tracemalloc
from collections.abc import Iterator
from io import BufferedReader, BytesIO, RawIOBase
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.responses import Rejection
from contactctl.responses.json_stream import (
    MAX_LINE_BYTES,
    MAX_UNREADABLE_IN_A_ROW,
    MAX_VALUE_BYTES,
    JsonValue,
    bounded_lines,
    read_json,
)


def read(payload: bytes) -> list[JsonValue | Rejection]:
    return list(read_json(BytesIO(payload), "f"))


def values(payload: bytes) -> list[object]:
    return [item.value for item in read(payload) if isinstance(item, JsonValue)]


def rejections(payload: bytes) -> list[tuple[str, str]]:
    return [(item.source, item.reason) for item in read(payload) if isinstance(item, Rejection)]


A, B = {"a": 1}, {"b": [2, {"c": "]}"}]}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", []),
        (b" \r\n\t\n", []),
        (b"[]", []),
        (b"{}", [{}]),
        (b'{"a":1}', [A]),
        (b'{"a":1}\n{"b":[2,{"c":"]}"}]}\n', [A, B]),
        (b'{"a":1}\r\n\r\n{"b":[2,{"c":"]}"}]}', [A, B]),
        (b'\xef\xbb\xbf\n{"a":1}', [A]),
        (b'{"a":1}{"b":[2,{"c":"]}"}]}', [A, B]),
        (b'[{"a":1},{"b":[2,{"c":"]}"}]}]', [A, B]),
        (b'[{"a":1}]\n[{"b":[2,{"c":"]}"}]}]\n', [A, B]),
        (b'[\n{"a":1},\n{"b":[2,{"c":"]}"}]}\n]\n', [A, B]),
        (b'[\n{"a":1}\n,{"b":[2,{"c":"]}"}]}]', [A, B]),
        (b'[[{"a":1}],[{"b":[2,{"c":"]}"}]}]]', [A, B]),
        (b'{\n  "a": 1\n}\n{\n  "b": [2, {"c": "]}"}]\n}', [A, B]),
        (b'{"a":1}\r{"b":[2,{"c":"]}"}]}', [A, B]),
        (b'{\r\n "a":\r\n 1}', [A]),
    ],
)
def test_whole_json(payload: bytes, expected: list[object]) -> None:
    assert values(payload) == expected
    assert rejections(payload) == []


@pytest.mark.parametrize(
    ("payload", "rejected"),
    [
        (b'{"a":1}\nnonsense\n{"z":0}', [("f:2", "Expecting value")]),
        (b'nonsense\n{"z":0}', [("f:1", "Expecting value")]),
        (b'{"a":1}\n{"b":\n{"z":0}', [("f:2", "Expecting ',' delimiter")]),
        (b'{"a":1,\n{"z":0}', [("f:1", "Expecting property name enclosed in double quotes")]),
        (b'{"a":"x\n{"z":0}', [("f:1", "Invalid control character at")]),
        (b'{"a":NaN}\n{"z":0}', [("f:1", "NaN is not JSON")]),
        (b'{"a":-Infinity}\n{"z":0}', [("f:1", "-Infinity is not JSON")]),
        (b'{"a":1,"a":2}\n{"z":0}', [("f:1", "a key is given twice")]),
        (b'{"a":"\xff"}\n{"z":0}', [("f:1", "not UTF-8")]),
        (b'{"a":"\xed\xa0\x80"}\n{"z":0}', [("f:1", "not UTF-8")]),
        (b'[{"a":"\xff"},{"z":0}]', [("f:1[0]", "not UTF-8")]),
        (b'{"a":%s}\n{"z":0}' % (b"9" * 5_000), [("f:1", "a number of too many digits")]),
        (b'[{"a":1},\n{"a":NaN},{"z":0}]', [("f:2[1]", "NaN is not JSON")]),
        (b'{"a":1}\n[{"b":1},{"a":1,"a":2},{"z":0}]', [("f:2[1]", "a key is given twice")]),
        (b'[{"z":0},', [("f:1[1]", "the array does not end: the input may be cut off")]),
    ],
)
def test_what_is_broken_has_its_place_and_the_rest_is_read(
    payload: bytes, rejected: list[tuple[str, str]]
) -> None:
    assert rejections(payload) == rejected
    assert values(payload)[-1] == {"z": 0}


def test_a_cut_off_array_gives_what_is_whole() -> None:
    payload = json.dumps([{"n": n} for n in range(9)]).encode()[:-4]
    assert values(payload) == [{"n": n} for n in range(8)]
    assert [place for place, _ in rejections(payload)] == ["f:1[8]", "f:1[9]"]


def test_a_pretty_element_that_breaks_does_not_take_the_next_along() -> None:
    payload = json.dumps([{"n": 1}, {"n": {"m": 2}}, {"n": 3}], indent=2).encode()
    assert values(payload.replace(b'"m": 2', b'"m" 2')) == [{"n": 1}, {"n": 3}]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":['])
@pytest.mark.parametrize("depth", [65, 999, 200_000])
def test_deep_nesting_is_rejected(opening: bytes, depth: int) -> None:
    closing = bytes(reversed(opening)).translate(bytes.maketrans(b"[{", b"]}"), b'":a')
    whole = b'{"x":%s1%s}' % (opening * depth, closing * depth)
    assert len(rejections(whole)) == 1
    assert len(rejections(opening * depth)) == 1


def test_depth_is_not_width() -> None:
    wide = {"x": [[] for _ in range(500)]}
    assert values(json.dumps(wide).encode()) == [wide]
    deepest: object = 1
    for _ in range(64):
        deepest = [deepest]
    assert len(rejections(json.dumps({"x": deepest}).encode())) == 1
    assert rejections(json.dumps({"x": deepest[0]}).encode()) == []


@pytest.mark.parametrize("first", [b"", b'{"a":1}\n', b"[\n"])
def test_a_value_that_is_too_long_is_left_out(first: bytes) -> None:
    long = b'{"long":"%s"}' % (b"x" * MAX_VALUE_BYTES)
    separator = b",\n" if first == b"[\n" else b"\n"
    payload = first + long + separator + b'{"z":0}' + (b"\n]" if first == b"[\n" else b"")
    [(place, reason)] = rejections(payload)
    assert place.startswith("f:2" if first else "f:1")
    assert "more than 16 MiB" in reason
    assert values(payload)[-1] == {"z": 0}


def test_a_page_of_an_api_is_read() -> None:
    value = {"long": "x" * (MAX_VALUE_BYTES - 100)}
    for payload in (json.dumps(value), json.dumps([value]), json.dumps([value], indent=1)):
        assert values(payload.encode()) == [value]


def test_hopeless_input_ends() -> None:
    payload = b"[\n" + b"{,\n" * 10_000
    assert len(read(payload)) == MAX_UNREADABLE_IN_A_ROW + 1
    assert "the rest is left out" in rejections(payload)[-1][1]


class Parts(RawIOBase):
    """A payload made while it is read, so that only the reader's memory shows."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts
        self.left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        self.left = self.left or next(self.parts, b"")
        chunk, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


@pytest.mark.parametrize(
    ("head", "element", "tail"),
    [(b"[", b'{"n":"%s"}' % (b"x" * 300), b"]"), (b"", b'{"n":"%s"}\n' % (b"x" * 300), b"")],
)
def test_memory_is_flat(head: bytes, element: bytes, tail: bytes) -> None:
    between = b"," if head else b""
    parts = chain([head, element], repeat(between + element, 30_000), [tail])
    tracemalloc.start()
    count = sum(1 for _ in read_json(BufferedReader(Parts(filter(None, parts))), "f"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30_001
    assert peak < 12 << 20


def test_bounded_lines_number_what_they_skip() -> None:
    payload = b"a\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\nb"
    assert list(bounded_lines(BytesIO(payload))) == [(1, b"a\n"), (2, None), (3, b"b")]


EVENTS = st.lists(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    ),
    max_size=5,
)


@given(EVENTS, st.booleans())
def test_every_layout_of_the_same_events_reads_the_same(
    events: list[object], ensure_ascii: bool
) -> None:
    def dumped(value: object, indent: int | None = None) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)

    layouts = [
        "\n".join(dumped(event) for event in events),
        "\n".join(dumped(event, 2) for event in events),
        "".join(dumped(event) for event in events),
        "\n".join(dumped([event]) for event in events),
        dumped(events),
        dumped(events, 0),
        dumped(events, 4),
    ]
    for layout in layouts:
        assert values(layout.encode()) == events
        assert rejections(layout.encode()) == []


@given(st.binary(max_size=300))
def test_no_bytes_crash_it(payload: bytes) -> None:
    assert all(item.place if isinstance(item, JsonValue) else item.reason for item in read(payload))
