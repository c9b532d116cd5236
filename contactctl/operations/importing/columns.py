"""Which column of a file is which field. A column that is none is left out, and that is said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from contactctl.domain.errors import CriteriaError, InputError, UsageError
from contactctl.domain.fields import (
    ATTRIBUTE_PREFIX,
    RESPONSES_PREFIX,
    Field,
    FieldCatalogue,
    did_you_mean,
)
from contactctl.domain.text import show_safely
from contactctl.operations.importing.options import ImportOptions

_MISTYPED_ABOVE = 0.8  # likeness from which on an unknown name is taken for a mistyped field

UNKNOWN_NAME = "no field has that name; --map 'COLUMN=FIELD' gives it one of `contactctl fields`"

_GIVEN_ELSEWHERE = {
    "id": "the store numbers its contacts itself",
    "email_domain": "it follows from the email",
    "status": "an import never changes the status; see `contactctl deactivate` and `reactivate`",
    "created": "it is set when a contact is added",
    "updated": "it is set when a contact changes",
    "deactivated": "an import never changes the status",
    "deactivation_origin": "an import never changes the status",
    "deactivation_category": "an import never changes the status",
}


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file, by its name there, and the field it gives; None: ignored."""

    name: str
    field: Field | None


def importable_fields(catalogue: FieldCatalogue) -> list[Field]:
    """The fields that an import can give, in the order in which an export writes them."""
    return [field for field in catalogue.fields() if _reason_against(field) is None]


class ColumnNames:
    """Names as a file has them -> fields, through the renames and the catalogue.

    `left_out` grows with each column that gives no field, and says why.
    """

    def __init__(self, options: ImportOptions, catalogue: FieldCatalogue) -> None:
        self._options = options
        self._catalogue = catalogue
        self._renamed = {
            _plain(name): self._target(name, target) for name, target in options.renames.items()
        }
        self._ignored = {_plain(name) for name in options.ignored}
        self._found: dict[str, Field | None] = {}
        self.left_out: dict[str, str] = {}

    def header(self, names: Sequence[str]) -> list[FileColumn]:
        """The columns of a header line; InputError unless each is known once, email among them."""
        self._refuse_unnamed(names)
        _refuse_repeated([_plain(name) for name in names], "the header has '{}' twice")
        self._require_columns(names)
        fields = self._known(names)
        given = [field.name for field in fields if field]
        _refuse_repeated(given, "two columns give the field '{}'")
        if "email" not in given:
            raise InputError(
                "no column gives the field 'email'",
                hint="name it with --map 'COLUMN=email'; is the delimiter right?",
            )
        return [FileColumn(name, field) for name, field in zip(names, fields, strict=True)]

    def resolve(self, name: str) -> Field | None:
        """The field that a name gives, None for an ignored one; UsageError for any other."""
        if name not in self._found:
            self._found[name] = self._resolve(name)
        return self._found[name]

    def _resolve(self, name: str) -> Field | None:
        plain = _plain(name)
        if plain in self._renamed:
            return self._renamed[plain]
        if plain in self._ignored:
            return None
        try:
            field = self._catalogue.find(_as_field_name(plain))
        except CriteriaError as error:
            self._require_no_mistake(name, error)
            self._leave_out(name, UNKNOWN_NAME)
            return None
        reason = _reason_against(field)
        if reason is None:
            return field
        self._leave_out(name, reason)
        return None

    def _leave_out(self, name: str, reason: str) -> None:
        if not self._options.ignore_unknown:
            self.left_out[show_safely(name)] = reason

    def _require_no_mistake(self, name: str, error: CriteriaError) -> None:
        """UsageError for what looks like a field, but mistyped, or an attribute not declared."""
        plain = _as_field_name(_plain(name))
        known = [field.name for field in self._catalogue.fields()]
        if self._options.ignore_unknown:
            return
        if plain.startswith(ATTRIBUTE_PREFIX) or get_close_matches(
            plain, known, n=1, cutoff=_MISTYPED_ABOVE
        ):
            guess = f"{error.hint} " if error.hint.startswith("did you mean") else ""
            raise UsageError(
                f"unknown column '{show_safely(name)}'", hint=guess + _what_to_do_with(name)
            ) from None

    def _known(self, names: Sequence[str]) -> list[Field | None]:
        """The field of each name; InputError for one that looks mistyped."""
        try:
            return [self.resolve(name) for name in names]
        except InputError:
            raise
        except UsageError as error:
            raise InputError(error.message, hint=error.hint) from None

    def _target(self, name: str, target: str) -> Field:
        try:
            field = self._catalogue.find(target.strip())
        except CriteriaError as error:
            message = f"--map '{show_safely(name)}={show_safely(target)}': {error.message}"
            raise UsageError(message, hint=error.hint) from None
        _require_importable(field, target)
        return field

    def _require_columns(self, names: Sequence[str]) -> None:
        """A rename, ignore or date format for a column that is not there is a mistake."""
        known = [_plain(name) for name in names]
        options: Mapping[str, Iterable[str]] = {
            "--map": self._options.renames,
            "--ignore": self._options.ignored,
            "--date-format": self._options.column_date_formats,
        }
        for flag, columns in options.items():
            for column in columns:
                if _plain(column) not in known:
                    raise UsageError(
                        f"{flag}: the file has no column '{show_safely(column)}'",
                        hint=did_you_mean(column, list(names)) or f"columns: {', '.join(names)}",
                    )

    def _refuse_unnamed(self, names: Sequence[str]) -> None:
        for number, name in enumerate(names, start=1):
            if not name.strip():
                raise InputError(f"column {number} has no name", hint="name it in the header")


def column_date_format(options: ImportOptions, name: str) -> str | None:
    """The declared date format of a column, None for ISO 8601."""
    by_column = {_plain(column): form for column, form in options.column_date_formats.items()}
    return by_column.get(_plain(name), options.date_format)


def _reason_against(field: Field) -> str | None:
    if field.name.startswith(RESPONSES_PREFIX):
        return "responses are counted from `responses ingest`"
    return _GIVEN_ELSEWHERE.get(field.name)


def _require_importable(field: Field, name: str) -> None:
    reason = _reason_against(field)
    if reason is not None:
        raise InputError(
            f"'{show_safely(name)}' cannot be imported: {reason}",
            hint=f"leave the column out with --ignore '{show_safely(name)}'",
        )


def _what_to_do_with(name: str) -> str:
    shown = show_safely(name)
    return f"give it a field with --map '{shown}=FIELD', or leave it out with --ignore '{shown}'"


def _refuse_repeated(names: Sequence[str], message: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                message.format(show_safely(name)), hint="remove, rename or --ignore one of them"
            )
        seen.add(name)


def _as_field_name(plain: str) -> str:
    """`first name` is how people write first_name."""
    return "_".join(plain.split())


def _plain(name: str) -> str:
    return name.strip().casefold()
