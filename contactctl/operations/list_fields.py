"""The fields that criteria can test, with the operators that fit each."""

from contactctl.domain.field_list import FieldUse
from contactctl.domain.fields import FieldCatalogue
from contactctl.domain.operators import OPERATORS


def list_fields(catalogue: FieldCatalogue) -> list[FieldUse]:
    """Every field, built-in ones first, then the declared attributes."""
    return [FieldUse(field, OPERATORS[field.type]) for field in catalogue.fields()]
