"""The fields that criteria can test, with the operators that fit each."""

from dataclasses import dataclass

from contactctl.domain.fields import Field, FieldCatalogue
from contactctl.domain.operators import OPERATORS, Operator


@dataclass(frozen=True, slots=True)
class FieldUse:
    """One field, and the operators that fit its type."""

    field: Field
    operators: tuple[Operator, ...]


def list_fields(catalogue: FieldCatalogue) -> list[FieldUse]:
    """Every field, built-in ones first, then the declared attributes."""
    return [FieldUse(field, OPERATORS[field.type]) for field in catalogue.fields()]
