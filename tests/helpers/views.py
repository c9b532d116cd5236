"""Contacts as criteria see them, from plain keywords."""

from dataclasses import fields

from contactctl.domain.contacts import ContactView

_OWN = {field.name for field in fields(ContactView)}


def contact_view(**values: object) -> ContactView:
    """A view; whatever is none of its own attributes is the value of a field."""
    own = {name: value for name, value in values.items() if name in _OWN}
    others = {name: value for name, value in values.items() if name not in _OWN}
    return ContactView(**own, values=others)  # type: ignore[arg-type]
