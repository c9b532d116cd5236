"""Config values as found, each with its place; merging of sources."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from contactctl.domain.errors import ConfigError
from contactctl.domain.text import show_safely


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
        hint = hint or "the config that `contactctl init` writes describes every key"
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
