"""One contact or group by what a person calls it; NotFoundError where there is none."""

from sqlalchemy import Connection

from contactctl.domain.emails import email_key
from contactctl.domain.errors import NotFoundError, UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.domain.text import show_safely
from contactctl.store.contacts import has_contact, id_of_key
from contactctl.store.groups import find_group, group_names

_MOST_DIGITS = 18  # of a contact's id, which has 63 bits


def contact_named(connection: Connection, name: str) -> int:
    """The id of a contact, from its email or its number."""
    if name.isascii() and name.isdigit():
        number = int(name) if len(name) <= _MOST_DIGITS else 0
        contact_id = number if has_contact(connection, number) else None
    else:
        contact_id = id_of_key(connection, _key(name))
    if contact_id is None:
        raise NotFoundError(
            f"no contact '{show_safely(name)}'",
            hint="`contactctl contacts list --where 'email contains ...'` finds contacts",
        )
    return contact_id


def group_named(connection: Connection, name: str) -> tuple[int, str]:
    """Id and name, as stored, of a group."""
    found = find_group(connection, name)
    if found is None:
        close = did_you_mean(name, group_names(connection))
        raise NotFoundError(
            f"no group '{show_safely(name)}'",
            hint=close or "`contactctl groups list` shows the groups",
        )
    return found


def _key(email: str) -> str:
    try:
        return email_key(email)
    except ValueError as error:
        raise UsageError(
            f"'{show_safely(email)}' is not an email address: {error}",
            hint="give an email or a contact's id",
        ) from None
