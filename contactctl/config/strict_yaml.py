"""YAML read strictly: plain data only, nothing ambiguous, every value knows its line.

Only what YAML 1.2's core schema says is resolved (null, true, false, numbers), so `yes`, `on`,
`2024-05-01` and `12:30` stay text. Refused: duplicate keys, anchors and
aliases (no alias bombs), tags, several documents, deep nesting, more than 1 MiB.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import yaml
from yaml.reader import Reader

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import ConfigError, ContactctlError
from contactctl.domain.lazy import dataclass
from contactctl.domain.text import show_safely

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100  # of YAML nesting; a nested criteria group takes two
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {word: word[0] in "tT" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")  # longer ones stay text: no huge integers
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as the parser counts lines

# the C parser where PyYAML was built with it: 1 MiB takes 0.2 s instead of several
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A value and its place; the place of a value in a mapping is its key's line.

    `value` is a scalar, a list of nodes, or a dict of nodes; `text` is a scalar as written (without
    its quotes), empty for lists and mappings. `comment` is what YAML takes off a scalar without
    quotes as a comment, from its `#` on. The `as_*` methods raise the reader's error class.
    """

    value: Scalar | list["Node"] | dict[str, "Node"]
    text: str
    line: int
    source: str
    error_class: type[ContactctlError]
    comment: str = ""

    @property
    def is_null(self) -> bool:
        return self.value is None

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.source}:{self.line}"

    def error(self, message: str, *, hint: str = "") -> ContactctlError:
        """An error of the reader's class that names this place: `file:line: message`."""
        return self.error_class(f"{self.place}: {message}", hint=hint)

    def as_mapping(self, known_keys: Collection[str] | None = None) -> dict[str, "Node"]:
        """The nodes by key; with `known_keys`, any other key is an error with a did-you-mean."""
        if not isinstance(self.value, dict):
            self._expected("a mapping ('key: value' lines)")
        if known_keys is not None:
            for key, node in self.value.items():
                if key not in known_keys:
                    raise node.error(
                        f"unknown key '{show_safely(key)}'", hint=_keys(key, known_keys)
                    )
        return self.value

    def as_list(self) -> list["Node"]:
        if not isinstance(self.value, list):
            self._expected("a list ('- item' lines, or [a, b])")
        return self.value

    def as_text(self) -> str:
        """A scalar as written; numbers, booleans and dates included, but not null."""
        if self.value is None or isinstance(self.value, list | dict):
            self._expected("text")
        return self.text

    def _expected(self, what: str) -> NoReturn:
        raise self.error(f"expected {what}, found {self._found()}")

    def _found(self) -> str:
        if isinstance(self.value, list):
            return "a list"
        if isinstance(self.value, dict):
            return "a mapping"
        return "nothing" if self.value is None else _cited(self.text)


def load_strict(text: str, source: str, error_class: type[ContactctlError] = ConfigError) -> Node:
    """The one document in `text`; an empty one is a node whose value is None.

    `source` names the text in errors. Raises `error_class` with `source:line: message`.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _too_large(source, error_class)
    if forbidden := Reader.NON_PRINTABLE.search(text.removeprefix("\ufeff")):
        line = text.count("\n", 0, forbidden.start()) + 1
        raise error_class(f"{source}:{line}: a character that YAML does not allow")
    try:
        return _Reader(text, source, error_class).document()
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, source, error_class) from None


def load_strict_file(
    path: Path | BinaryIO, source: str, error_class: type[ContactctlError] = ConfigError
) -> Node:
    """Like `load_strict`, from a file or an open binary stream; reads no more than the limit."""
    return load_strict(_read_text(path, source, error_class), source, error_class)


def _read_text(path: Path | BinaryIO, source: str, error_class: type[ContactctlError]) -> str:
    try:
        if isinstance(path, Path):
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        else:
            content = path.read(MAX_BYTES + 1)
    except OSError as error:
        raise error_class(f"cannot read {source}: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise _too_large(source, error_class)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise error_class(
            f"{source}:{line}: not UTF-8 text", hint="save the file with the encoding UTF-8"
        ) from None


class _Reader:
    """Builds nodes from the parser's events; no recursion deeper than MAX_DEPTH."""

    def __init__(self, text: str, source: str, error_class: type[ContactctlError]) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
        self._lines = _LINE_BREAK.split(text.removeprefix("\ufeff"))
        self._source = source
        self._error_class = error_class

    def document(self) -> Node:
        next(self._events)  # stream start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, "", 1, self._source, self._error_class)
        root = self._value(next(self._events), depth=1)
        next(self._events)  # document end
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            raise self._error(following, "a second document ('---'); only one is accepted")
        return root

    def _value(self, event: Any, depth: int) -> Node:
        self._refuse_ambiguity(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._node(event, self._items(depth))
        if isinstance(event, yaml.MappingStartEvent):
            return self._node(event, self._entries(depth))
        plain = event.implicit[0]
        if plain and event.end_mark.line > event.start_mark.line:
            raise self._error(
                event,
                f"{_cited(event.value)} continues on the next line",
                "is a dash missing, or the indentation wrong? text over several lines needs quotes",
            )
        node = self._node(event, _resolve(event.value) if plain else event.value, event.value)
        return replace(node, comment=self._comment_after(event)) if plain else node

    def _comment_after(self, event: Any) -> str:
        end = event.end_mark
        rest = self._lines[end.line][end.column :] if end.line < len(self._lines) else ""
        return rest.strip() if rest.lstrip().startswith("#") else ""

    def _refuse_ambiguity(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._error(
                event,
                "anchors (&) and aliases (*) are not accepted",
                "write the value out, or quote it",
            )
        if event.tag is not None:
            raise self._error(event, "tags (!) are not accepted", "put the value in quotes")
        if depth > MAX_DEPTH:
            raise self._error(event, _TOO_DEEP)

    def _items(self, depth: int) -> list[Node]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _entries(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if key.text == "":
                raise key.error("a key must be a word")
            if key.text in entries:
                first = entries[key.text].line
                raise key.error(f"the key '{show_safely(key.text)}' is already on line {first}")
            value = self._value(next(self._events), depth + 1)
            entries[key.text] = replace(value, line=key.line)
        return entries

    def _node(self, event: Any, value: Any, text: str = "") -> Node:
        line = event.start_mark.line + 1
        return Node(value, text, line, self._source, self._error_class)

    def _error(self, event: Any, message: str, hint: str = "") -> ContactctlError:
        return self._node(event, None).error(message, hint=hint)


def _cited(text: str) -> str:
    """The start of a text, but of a URL nothing: what is cut off may be what shows a password."""
    return "a URL" if "://" in text else f"'{show_safely(text[:60])}'"


def _resolve(text: str) -> Scalar:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and isfinite(float(text)):
        return float(text)
    return text


def _keys(key: str, known_keys: Collection[str]) -> str:
    return did_you_mean(key, list(known_keys)) or f"known keys: {', '.join(known_keys)}"


def _too_large(source: str, error_class: type[ContactctlError]) -> ContactctlError:
    return error_class(f"{source}: larger than 1 MiB", hint="is this the right file?")


def _is_by_a_tab(text: str, mark: Any) -> bool:
    """Whether there is a tab at the place, or in its line's indentation."""
    line = "".join(text.split("\n")[mark.line : mark.line + 1])
    indentation = line[: len(line) - len(line.lstrip())]
    return "\t" in indentation + line[mark.column : mark.column + 1]


def _syntax_error(
    error: yaml.YAMLError, text: str, source: str, error_class: type[ContactctlError]
) -> ContactctlError:
    mark = getattr(error, "problem_mark", None)
    place = f"{source}:{mark.line + 1}" if mark else source
    if "nesting depth" in str(error):  # some libyaml look that far ahead, and have a limit
        return error_class(f"{place}: {_TOO_DEEP}")
    if mark and _is_by_a_tab(text, mark):
        return error_class(f"{place}: a tab", hint="YAML forbids tabs here; use blanks")
    return error_class(
        f"{place}: {show_safely(getattr(error, 'problem', None) or 'not YAML')}",
        hint="put text with : # & * ! or quotes in quotes",
    )
