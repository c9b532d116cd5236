"""Config values as found, each with its place: merged from their sources, and read by a schema."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import ConfigError
from contactctl.domain.text import show_safely

if TYPE_CHECKING:
    from contactctl.config import strict_yaml


class Setting(NamedTuple):
    """One value: a scalar, a list of nodes or a mapping of nodes.

    `name` is its own key and `key` the dotted path (`limits.max_contacts`), `place` is `file:line`,
    a flag or an environment variable, and `folder` is where a relative path in the value starts.
    """

    value: Any
    place: str
    folder: Path
    name: str = ""
    key: str = ""

    def error(self, problem: str, *, hint: str = "") -> ConfigError:
        """What is wrong with this value, ready to raise."""
        subject = f"{self.key}: " if self.key else ""
        if not hint and self.key != self.place and ":" in self.place:  # of a file
            hint = "the config that `contactctl init` writes describes every key"
        return ConfigError(show_safely(f"{self.place}: {subject}{problem}"), hint=hint)

    def mapping(self) -> Mapping[str, "Setting"]:
        """The children by name; ConfigError if this is not a mapping."""
        if not isinstance(self.value, Mapping):
            raise self.error(
                "must be a mapping of keys to values", hint="remove it, or indent its keys"
            )
        return self.value

    def items(self) -> list["Setting"]:
        """The elements; ConfigError if this is not a list."""
        if not isinstance(self.value, list):
            raise self.error("must be a list")
        return self.value

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, Mapping):
            return {name: child.plain() for name, child in self.value.items()}
        if isinstance(self.value, list):
            return [element.plain() for element in self.value]
        return self.value


def overlay(sources: Iterable[Setting]) -> dict[str, Setting]:
    """The top-level keys of all sources, the strongest source first.

    A mapping (`limits`, `thresholds`, `groups`) is joined entry by entry; an entry is taken whole
    from the strongest source, so that half of a rule never mixes with half of another.
    """
    merged: dict[str, Setting] = {}
    for source in sources:
        for name, node in source.mapping().items():
            merged[name] = _joined(merged[name], node) if name in merged else node
    return merged


def _joined(stronger: Setting, weaker: Setting) -> Setting:
    if isinstance(stronger.value, Mapping) and isinstance(weaker.value, Mapping):
        return stronger._replace(value={**weaker.value, **stronger.value})
    return stronger


def tree_of(entries: Mapping[str, Setting]) -> dict[str, Setting]:
    """The top-level nodes that hold these, by dotted keys of one or two words."""
    tree: dict[str, Setting] = {}
    for key, node in entries.items():
        name, _, below = key.partition(".")
        if below:
            whole = tree.setdefault(name, Setting({}, node.place, node.folder, name, name))
            whole.value[below] = node
        else:
            tree[name] = node
    return tree


# The building blocks of the schema: each reads a node, and knows the keys it accepts


K = TypeVar("K")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Shape(Protocol[T_co]):
    """What a value must look like."""

    def read(self, node: Setting) -> T_co:
        """The value; ConfigError with its place when it does not fit."""


class Scalar(NamedTuple, Generic[T]):
    """One value. `parse` raises ValueError saying what the value must be."""

    parse: Callable[[Any], T]

    def read(self, node: Setting) -> T:
        return _located(node, lambda: self.parse(node.value))


class Placed(NamedTuple, Generic[T]):
    """One value whose meaning depends on its place. `parse` raises ValueError as above."""

    parse: Callable[[Setting], T]

    def read(self, node: Setting) -> T:
        return _located(node, lambda: self.parse(node))


class ListOf(NamedTuple, Generic[T]):
    """A list of one shape."""

    element: Shape[T]

    def read(self, node: Setting) -> tuple[T, ...]:
        return tuple(self.element.read(element) for element in node.items())


class Section(NamedTuple, Generic[T]):
    """A mapping with fixed keys, all optional but those it `needs`.

    `make` gets the keys that are there as keyword arguments (its defaults are the schema's), and
    first the section's own name when `named`. ValueError: the keys do not go together.
    """

    make: Callable[..., T]
    shapes: Mapping[str, Shape[Any]]
    named: bool = False
    needs: Sequence[str] = ()

    def read(self, node: Setting) -> T:
        children = node.mapping()
        _refuse_unknown_keys(node, list(self.shapes))
        if missing := [name for name in self.needs if name not in children]:
            raise node.error(f"needs '{missing[0]}'")
        values = {name: self.shapes[name].read(child) for name, child in children.items()}
        name = (node.name,) if self.named else ()
        return _located(node, lambda: self.make(*name, **values))


class ByName(NamedTuple, Generic[K, T]):
    """A mapping whose keys are names: `parse_name` gives the key to look up, or ValueError.

    `placeholder` stands for such a name in the documentation of keys.
    """

    placeholder: str
    parse_name: Callable[[str], K]
    shape: Shape[T]

    def read(self, node: Setting) -> dict[K, T]:
        values: dict[K, T] = {}
        for child in node.mapping().values():
            name = _located(child, partial(self.parse_name, child.name))
            if name in values:
                raise child.error("this name occurs twice (case is ignored)")
            values[name] = self.shape.read(child)
        return values


def _refuse_unknown_keys(node: Setting, known: list[str]) -> None:
    """ConfigError for the first key of a mapping that is not among the known ones."""
    for name, child in node.mapping().items():
        if name not in known:
            where = f" in '{node.key}'" if node.key else ""
            hint = did_you_mean(name, known) or f"known keys: {', '.join(known)}"
            message = f"{child.place}: unknown key '{name[:60]}'{where}"
            raise ConfigError(show_safely(message), hint=hint)


def _located(node: Setting, make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as problem:
        raise node.error(str(problem)) from problem


def scalar_keys(section: Section[Any], key: str = "") -> Iterator[str]:
    """The dotted keys of fixed name that hold one value: what a flag or a variable can set."""
    for name, shape in section.shapes.items():
        below = f"{key}.{name}" if key else name
        if isinstance(shape, Section):
            yield from scalar_keys(shape, below)
        elif isinstance(shape, Scalar | Placed):
            yield below


# YAML as settings


def read_yaml(path: Path, shown_as: str) -> Setting:
    """The content of a config file, `shown_as` in places; an empty file is an empty mapping."""
    from contactctl.config.strict_yaml import load_strict_file  # noqa: PLC0415 - yaml takes 15 ms

    document = load_strict_file(path, shown_as)
    if document.is_null:
        return Setting({}, shown_as, path.parent)
    return _from_yaml(document, path.parent.absolute(), name="", key="")


def _from_yaml(node: "strict_yaml.Node", folder: Path, *, name: str, key: str) -> Setting:
    value: Any = node.value
    if isinstance(value, dict):
        value = {
            child_name: _from_yaml(
                child, folder, name=child_name, key=f"{key}.{child_name}" if key else child_name
            )
            for child_name, child in value.items()
        }
    elif isinstance(value, list):
        value = [_from_yaml(child, folder, name=name, key=key) for child in value]
    elif isinstance(value, float):
        value = _as_written(node.text)
    return Setting(value, f"{node.source}:{node.line}", folder, name, key)


def _as_written(number: str) -> Decimal | str:
    """A price is what was written, not the nearest binary fraction."""
    try:
        return Decimal(number)
    except InvalidOperation:  # the exponent is too long: refused later, when its key is known
        return number
