"""The data files of this folder."""

from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_data(name: str) -> Any:
    """What a YAML file of this folder holds, read once: not to be changed."""
    import yaml  # noqa: PLC0415 - only who classifies pays for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("contactctl.responses").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders


def holds_any(text: str, kind: str) -> bool:
    """Whether a text in lower case holds any of the words of a kind (`mail/words.yaml`)."""
    for phrase in phrases_of(kind, text.isascii()):  # noqa: SIM110 - an `any` takes twice as long
        if phrase in text:
            return True
    return False


@cache
def phrases_of(kind: str, is_ascii: bool) -> tuple[str, ...]:
    """The words of a kind; of those of texts in ASCII, what can be there."""
    phrases = read_data("mail/words.yaml")[kind]
    return tuple(each for each in phrases if each.isascii() or not is_ascii)
