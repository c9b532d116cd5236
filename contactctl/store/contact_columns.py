"""The columns of `contact` by the field that they hold, from the table's declaration alone.

A column that has a field's name holds its value; `<name>_folded` beside it, where there is one,
the form in which it is compared. All names are in the table's order.
"""

from typing import Any

from sqlalchemy import Column

from contactctl.domain.fields import BUILT_IN_FIELDS
from contactctl.store.tables import contact

_FIELDS = {field.name: field for field in BUILT_IN_FIELDS}
_NAMES = tuple(column.name for column in contact.c if column.name in _FIELDS)
_IN_ANOTHER_FORM = {"email": "email_key"}

ADDRESS_COLUMNS = ("email", "email_key", "email_domain")
JSON_COLUMNS = ("attributes", "attributes_folded")

# values that may be missing: what an import may give of a contact besides its address
GIVEN_COLUMNS = tuple(name for name in _NAMES if not _FIELDS[name].always_present)
FOLDED_COLUMNS = frozenset(name for name in GIVEN_COLUMNS if f"{name}_folded" in contact.c)

# what a record holds by name; the rest of it has a place of its own
VALUE_COLUMNS = tuple(name for name in _NAMES if name not in ("id", "status", *ADDRESS_COLUMNS))
RECORD_COLUMNS = (*(contact.c[name] for name in _NAMES), contact.c.attributes)


def compared_column(name: str) -> Column[Any]:
    """What a field's value is compared by; KeyError where no column holds it."""
    compared = _IN_ANOTHER_FORM.get(name, f"{name}_folded")
    return contact.c[compared if compared in contact.c else name]
