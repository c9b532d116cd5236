"""Words on the command line that must be one of a list."""

from enum import StrEnum
from typing import TypeVar

from contactctl.domain.errors import UsageError

Choice = TypeVar("Choice", bound=StrEnum)


def chosen(choices: type[Choice], word: str, option: str) -> Choice:
    """The choice of that name; UsageError with a did-you-mean otherwise."""
    from contactctl.domain.fields import did_you_mean

    known = [choice.value for choice in choices]
    if word not in known:
        hint = did_you_mean(word, known) or f"one of {', '.join(known)}"
        raise UsageError(f"{option} '{word}' is unknown", hint=hint)
    return choices(word)
