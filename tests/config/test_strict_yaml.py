import io
from pathlib import Path

import pytest

from contactctl.config.strict_yaml import MAX_BYTES, MAX_DEPTH, Node, load_strict, load_strict_file
from contactctl.domain.errors import ConfigError, CriteriaError


def plain(text: str) -> object:
    """The values without their places."""
    return without_places(load_strict(text, "f.yaml"))


def without_places(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: without_places(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [without_places(child) for child in node.value]
    return node.value


def error_of(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_strict(text, "f.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment", None),
        ("a: ~", {"a": None}),
        ("a: true", {"a": True}),
        ("a: yes", {"a": "yes"}),
        ("on: off", {"on": "off"}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 010", {"a": "010"}),
        ("a: -7", {"a": -7}),
        ("a: 2.50", {"a": 2.5}),
        ("a: '7'", {"a": "7"}),
        ("a: 1e400", {"a": "1e400"}),
        ("a: .nan", {"a": ".nan"}),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
        ("[a, {b: [1]}]", ["a", {"b": [1]}]),
        ("a: 'x\n  y'", {"a": "x y"}),
        ("a: |\n  x\n  y", {"a": "x\ny"}),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_only_the_core_schema_is_resolved(text, value):
    assert plain(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: the key 'a' is already on line 1"),
        ("a:\n  b: 1\n  b: 2", "f.yaml:3: the key 'b' is already on line 2"),
        ("- &x a\n- *x", "f.yaml:1: anchors (&) and aliases (*) are not accepted"),
        ("- a\n- !!python/name:os.system", "f.yaml:2: tags (!) are not accepted"),
        ("a: !=", "f.yaml:1: tags (!) are not accepted"),
        ("---\na: 1\n---\nb: 2", "f.yaml:3: a second document ('---'); only one is accepted"),
        ("? [a]\n: 1", "f.yaml:1: a key must be a word"),
        ("a: 1\n\n'': 2", "f.yaml:3: a key must be a word"),
        ("- a = b\n - c = d", "f.yaml:1: 'a = b - c = d' continues on the next line"),
        ("- a\n- b\n  c", "f.yaml:2: 'b c' continues on the next line"),
        ("a: 1\nb: \x07", "f.yaml:2: a character that YAML does not allow"),
        ("a: \udcff", "f.yaml:1: a character that YAML does not allow"),
    ],
)
def test_what_is_ambiguous_is_refused_at_its_line(text, message):
    assert error_of(text).message == message


@pytest.mark.parametrize("text", ["a: b: c", "a: 'x", "[a", "a:\n\t- b", "%YAML 9.9\n---\na"])
def test_what_is_no_yaml_is_refused_with_its_line(text):
    assert error_of(text).message.startswith("f.yaml:")
    assert error_of(text).hint


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_it_is_followed(opening):
    assert error_of(opening * 100_000).message == f"f.yaml:1: nested deeper than {MAX_DEPTH} levels"


@pytest.mark.parametrize("text", ["all:\n\t- id = 1\n", "a: [\n  \t- c]\n", "é: 1\r\n\té: 2"])
def test_a_tab_is_called_a_tab(text):
    error = error_of(text)
    assert error.message == "f.yaml:2: a tab"
    assert error.hint == "YAML forbids tabs here; use blanks"


def test_a_mebibyte_is_the_limit():
    fitting = "a: " + "x" * (MAX_BYTES - 3)
    assert plain(fitting) == {"a": "x" * (MAX_BYTES - 3)}
    assert error_of(fitting + "x").message == "f.yaml: larger than 1 MiB"
    assert error_of("a: " + "é" * (MAX_BYTES // 2)).message == "f.yaml: larger than 1 MiB"


def test_a_stream_is_read_no_further_than_the_limit():
    stream = io.BytesIO(b"x" * (3 * MAX_BYTES))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_strict_file(stream, "standard input")
    assert stream.tell() == MAX_BYTES + 1


def test_a_file_that_is_not_utf8_is_refused_at_its_line(tmp_path: Path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: \xe6\n")
    with pytest.raises(CriteriaError, match=r"^latin\.yaml:2: not UTF-8 text"):
        load_strict_file(path, "latin.yaml", CriteriaError)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot read no\.yaml: No such file"):
        load_strict_file(tmp_path / "no.yaml", "no.yaml")


def test_every_node_knows_its_line():
    root = load_strict("a:\n  - 1\n  - b: 2\n    c:\n      d: 3\n", "f.yaml")
    items = root.as_mapping()["a"].as_list()
    assert [root.as_mapping()["a"].line, items[0].line, items[1].line] == [1, 2, 3]
    assert items[1].as_mapping()["c"].line == 4
    assert items[1].as_mapping()["c"].as_mapping()["d"].line == 5


@pytest.mark.parametrize(
    ("text", "method", "found"),
    [
        ("[a]", "as_mapping", "a mapping ('key: value' lines), found a list"),
        ("a: 1", "as_list", "a list ('- item' lines, or [a, b]), found a mapping"),
        ("~", "as_text", "text, found nothing"),
        ("x\\e", "as_list", "a list ('- item' lines, or [a, b]), found 'x\\e'"),
    ],
)
def test_a_value_of_another_kind_is_named(text, method, found):
    with pytest.raises(ConfigError) as caught:
        getattr(load_strict(text, "f.yaml"), method)()
    assert caught.value.message == f"f.yaml:1: expected {found}"


def test_a_scalar_is_the_text_as_written():
    entries = load_strict("{i: 3, n: 0.5, b: false, t: 2020-01-01}", "f.yaml").as_mapping()
    assert {name: node.as_text() for name, node in entries.items()} == {
        "i": "3",
        "n": "0.5",
        "b": "false",
        "t": "2020-01-01",
    }


def test_an_unknown_key_is_refused_with_a_suggestion():
    root = load_strict("nane: x", "f.yaml")
    with pytest.raises(ConfigError) as caught:
        root.as_mapping(("name", "all"))
    assert caught.value.message == "f.yaml:1: unknown key 'nane'"
    assert caught.value.hint == "did you mean 'name'?"
