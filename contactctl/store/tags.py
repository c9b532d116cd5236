"""The tags that contacts carry, as they are compared."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from contactctl.store.tables import contact_tag
from contactctl.store.value_sql import is_one_of

_SOME = 1000


def tags_among(connection: Connection, tags: Collection[str]) -> set[str]:
    """Those of the folded tags that some contact carries."""
    column = contact_tag.c.tag_folded
    found = select(column).where(is_one_of(column, tags, connection.dialect.name)).distinct()
    return set(connection.execute(found).scalars())


def some_tags(connection: Connection) -> list[str]:
    """Folded tags to guess a mistyped one from; not all where there are very many."""
    found = select(contact_tag.c.tag_folded).distinct().limit(_SOME)
    return list(connection.execute(found).scalars())
