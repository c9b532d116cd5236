"""Whether a SQLite file still holds an address in what is left of rows.

What is deleted is overwritten (secure_delete), but where rows move from page to page, as others
come in between, a copy can stay behind in a page: of about one row in a hundred. Only what no row
needs is searched: rows that held the address have been changed.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import Struct

from contactctl.domain.emails import EmailAddress

_MOST = 10  # addresses that the file is searched for: it is rewritten sooner than for more
_PARTS_AT_ONCE = 1000
_BLOCK = Struct(">HH")  # where the next free block of the page is; length of this one
_HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}  # lengths, by kind of a b-tree's page
_BETWEEN = (b"@", b"%40", b"=40", b"=", b"=3d")  # as domain.erasure finds them


def may_hold_any(path: Path, addresses: Sequence[EmailAddress]) -> bool:
    """Whether the file may hold one of the addresses, in any spelling.

    True without a look for many, and for those with other letters than ASCII's.
    """
    if len(addresses) > _MOST or not all(each.key.isascii() for each in addresses):
        return True
    parts = {tuple(each.key.encode().rsplit(b"@", 1)) for each in addresses}
    return any(_holds(text, *each) for text in _unused(path) for each in parts)


def _unused(path: Path) -> Iterator[bytes]:
    """What no row needs of the file's pages, in lower case, many pages at a time.

    Of a b-tree's page these are the bytes between its list of cells and the cells, and free blocks
    among the cells: SQLite zeroes what it frees (secure_delete), and not what it moves. Pages of
    another kind are given whole. See https://sqlite.org/fileformat2.html, section 1.6.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        said = int.from_bytes(content[16:18])
        size = 65536 if said == 1 else said
        parts: list[bytes] = []
        pages = Struct(f">BHHH{size - 7}x").iter_unpack(content)  # the heads of b-trees' pages
        for at, (kind, first_block, cells, start) in zip(count(0, size), pages, strict=False):
            header = _HEADERS.get(kind)
            if header is None:
                parts.append(content[at : at + size])
                continue
            parts.append(content[at + header + 2 * cells : at + (start or size)])
            before, block = 0, first_block
            while block > before:
                following, length = _BLOCK.unpack_from(content, at + block)
                parts.append(content[at + block : at + block + length])
                before, block = block, following
            if len(parts) >= _PARTS_AT_ONCE:
                yield b"\n".join(parts).lower()
                parts.clear()
        yield b"\n".join(parts).lower()


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
