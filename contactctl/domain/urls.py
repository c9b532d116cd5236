"""Database URLs shown without their passwords."""

import re

# up to the last @: a password may contain an unencoded @ or /
_USER_PASSWORD = re.compile(r"(://[^:/?#@]*):.*@", re.DOTALL)
_QUERY_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def hide_password(url: str) -> str:
    """The URL with `***` for every password in it."""
    without = _USER_PASSWORD.sub(r"\1:***@", url)
    return _QUERY_PASSWORD.sub(r"\1***", without)


def has_password(url: str) -> bool:
    """Whether the URL carries a password, in whatever place."""
    return hide_password(url) != url
