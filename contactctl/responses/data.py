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
    for phrase in read_data("mail/words.yaml")[kind]:  # noqa: SIM110 - an `any` takes twice as long
        if phrase in text:
            return True
    return False
