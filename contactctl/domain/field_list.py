"""What `fields` tells: each field with the operators that fit it."""

from dataclasses import dataclass

from contactctl.domain.fields import Field
from contactctl.domain.operators import Operator


@dataclass(frozen=True, slots=True)
class FieldUse:
    """One field, and the operators that fit its type."""

    field: Field
    operators: tuple[Operator, ...]
