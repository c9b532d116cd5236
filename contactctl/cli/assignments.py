"""Options that are given as NAME=VALUE."""

from collections.abc import Callable, Sequence

from contactctl.domain.errors import UsageError


def read_assignments(
    flag: str,
    texts: Sequence[str] | None,
    split: Callable[[str, str], tuple[str, str, str]] = str.partition,
) -> dict[str, str]:
    """Values by name; UsageError for a text without an = or a repeated name.

    With `str.rpartition` as `split`, a name may contain = itself.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = split(text, "=")
        if not equals or not name.strip():
            raise UsageError(f"{flag} '{text}' has no '='", hint=f"write it as {flag} 'NAME=VALUE'")
        if name in found:
            raise UsageError(f"{flag} names '{name}' twice")
        found[name] = value
    return found
