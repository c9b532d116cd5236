"""Whether a SQLite file still holds an address somewhere, in a row or in what is left of one.

What is deleted is overwritten (secure_delete), but where rows move from page to page, as others
come in between, a copy can stay behind in a page: of about one row in a hundred.
"""

from collections.abc import Sequence
from pathlib import Path

from contactctl.domain.emails import EmailAddress

_MOST = 10  # addresses that the file is searched for: it is rewritten sooner than for more
_CHUNK = 1 << 18
_BETWEEN = (b"@", b"%40", b"=40", b"=", b"=3d")  # as domain.erasure finds them


def may_hold_any(path: Path, addresses: Sequence[EmailAddress]) -> bool:
    """Whether the file may hold one of the addresses, in any spelling.

    True without a look for many, and for those with other letters than ASCII's.
    """
    if len(addresses) > _MOST or not all(each.key.isascii() for each in addresses):
        return True
    parts = {tuple(each.key.encode().rsplit(b"@", 1)) for each in addresses}
    longest = max((len(local) + len(domain) for local, domain in parts), default=0) + 8
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(_CHUNK):
            text = before + chunk.lower()
            if any(_holds(text, local, domain) for local, domain in parts):
                return True
            before = text[-longest:]
    return False


def _holds(text: bytes, local: bytes, domain: bytes) -> bool:
    at = text.find(local)
    while at >= 0:
        end = at + len(local)
        rest = text[end : end + len(domain) + 3]
        if any(rest.startswith(each + domain) for each in _BETWEEN):
            return True
        if text.endswith(domain + b"=", 0, at):  # SRS
            return True
        at = text.find(local, at + 1)
    return False
