"""One contact or group by what a person calls it; NotFoundError where there is none.

For reading, or to show before a change. What changes it looks it up again in its own transaction:
somebody else may have deleted it meanwhile.
"""

from contactctl.operations.session import Session
from contactctl.store.named import contact_named, group_named


def contact_id_of(session: Session, name: str) -> int:
    """The id of a contact, from its email or its number."""
    with session.store.reading() as connection:
        return contact_named(connection, name)


def group_of(session: Session, name: str) -> tuple[int, str]:
    """Id and name, as stored, of a group."""
    with session.store.reading() as connection:
        return group_named(connection, name)
