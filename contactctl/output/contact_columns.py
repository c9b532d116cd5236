"""The fields of contacts as columns, in whatever table they stand."""

from contactctl.domain.fields import ATTRIBUTE_PREFIX, RESPONSES_PREFIX
from contactctl.output.presentation import Column

_EXACT = ("id", "email", "status", "last_opportunity")


def contact_column(name: str, *, for_people: bool = True) -> Column:
    """The column of a field; free text gives way when there is little room."""
    bare = name.removeprefix(ATTRIBUTE_PREFIX).removeprefix(RESPONSES_PREFIX)
    title = bare.replace("_", " ").upper()
    return Column(name, title, for_people=for_people, yields=name not in _EXACT)
