"""Which column of a file is which field. A column that is none is left out, and that is said."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from contactctl.domain.contacts import MembershipState
from contactctl.domain.criteria.fields import (
    ATTRIBUTE_PREFIX,
    COUNT_FIELDS,
    EXTERNAL_ID_FIELD,
    LAST_ENGAGED_FIELD,
    NOT_COUNTED_FIELD,
    RESPONSES_PREFIX,
    UNSUBSCRIBED_FIELD,
    UNSUBSCRIBED_FROM_FIELD,
    Field,
    FieldCatalogue,
    FieldType,
    did_you_mean,
)
from contactctl.domain.errors import CriteriaError, InputError, UsageError
from contactctl.domain.text import show_safely, text_of_formula, trim
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.presets import (
    as_word,
    hint_for_email,
    is_address_column,
    plain,
    preset_for,
)
from contactctl.operations.importing.status import looks_like_consent

_MISTAKES_TOLD = 5
_MISTYPED_ABOVE = 0.8  # likeness from which on an unknown name is taken for a mistyped field

_REPEATED = re.compile(r" \([2-9][0-9]*\)\Z")  # see distinct_names

ATTRIBUTES = ATTRIBUTE_PREFIX.rstrip(".")  # a key or column with all of them, as JSON

UNKNOWN_NAME = "no field has that name; --map 'COLUMN=FIELD' gives it one of `contactctl fields`"

_GIVEN_ELSEWHERE = {
    "id": "the store numbers its contacts itself",
    "email_domain": "it follows from the email",
    "updated": "it is set when a contact changes",
    UNSUBSCRIBED_FIELD: "what people wish is recorded by `responses ingest`",
    UNSUBSCRIBED_FROM_FIELD: "what people wish is recorded by `responses ingest`",
    LAST_ENGAGED_FIELD: "it is the later of last_opened and last_clicked",
    "reactivated": "it is set when a contact becomes active again",
    "deactivation_run": "runs have their numbers in this store alone",
    EXTERNAL_ID_FIELD: "`contacts sync` notes what sources call contacts",
}

GROUP_ACTIVE = Field(
    f"group_{MembershipState.ACTIVE}", FieldType.SET, "groups that may mail it although inactive"
)
GROUP_INACTIVE = Field(
    f"group_{MembershipState.INACTIVE}", FieldType.SET, "groups in which it is inactive alone"
)
# what only the columns of `contacts export --full` have
_MEMBERSHIP_FIELDS = {field.name: field for field in (GROUP_ACTIVE, GROUP_INACTIVE)}
# of two states in one group the last one holds: the one that keeps mail away
STATE_BY_FIELD = {
    "group": MembershipState.FOLLOWS,
    GROUP_ACTIVE.name: MembershipState.ACTIVE,
    GROUP_INACTIVE.name: MembershipState.INACTIVE,
}
STATUS_FIELDS = ("status", "deactivated", "deactivation_origin", "deactivation_category")
_ONLY_IN_FULL = ("created", *COUNT_FIELDS, *STATUS_FIELDS)


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file, by its name there, and the field it gives; None: ignored."""

    name: str
    field: Field | None


def importable_fields(catalogue: FieldCatalogue) -> list[Field]:
    """The fields that an import can give, in the order in which a full export writes them."""
    known = [field for field in catalogue.fields() if _reason_against(field) is None]
    return [*known, *_MEMBERSHIP_FIELDS.values()]


def exported_names(catalogue: FieldCatalogue, *, full: bool) -> list[str]:
    """The fields of an export: those of a contact's data; `full`: all that an import can give, and
    what sources call the contact."""
    names = [field.name for field in importable_fields(catalogue)]
    if full:
        return [*names, EXTERNAL_ID_FIELD]
    return [name for name in names if name not in (*_ONLY_IN_FULL, *_MEMBERSHIP_FIELDS)]


def distinct_names(names: Sequence[str]) -> list[str]:
    """The header's names, by which options can tell every column apart.

    A second column `phone` is called `phone (2)`, one without a name `column 3`; unnamed ones at
    the end are left out, as spreadsheets write commas behind the last column.
    """
    trimmed = [text_of_formula(trim(name)) for name in names]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    found: dict[str, str] = {}
    for number, name in enumerate(trimmed, start=1):
        wanted = name or f"column {number}"
        unique, times = wanted, 1
        while plain(unique) in found:
            times += 1
            unique = f"{wanted} ({times})"
        found[plain(unique)] = unique
    return list(found.values())


class ColumnNames:
    """Names as a file has them -> fields, through the renames, the preset and the catalogue.

    `left_out` grows with each column that gives no field, and says why; `undecided` with each
    that looks like consent or status and of which nobody has said what it means; `unknown` with
    each other name that is no field's. `address_column` gives the email though it is not called so;
    `nested` is the column of JSON whose keys are attributes.
    """

    def __init__(self, options: ImportOptions, catalogue: FieldCatalogue) -> None:
        self._options = options
        self._catalogue = catalogue
        self._renamed = {
            plain(name): self._target("--map", name, target)
            for name, target in options.renames.items()
        }
        self._preset: dict[str, Field | None] = {
            plain(name): self._target(f"the preset {options.preset.name}", name, target)
            for name, target in options.preset.columns.items()
        }
        self._preset_order = {name: at for at, name in enumerate(self._preset)}
        rules = (*options.inactive, *options.preset.inactive)
        self._ignored = dict.fromkeys(map(plain, options.ignored))
        self._preset |= dict.fromkeys(map(plain, options.preset.ignored))
        self._spoken_of = {plain(rule.column) for rule in rules}
        self._found: dict[str, Field | None] = {}
        self.left_out: dict[str, str] = {}
        self.undecided: list[str] = []
        self.unknown: list[str] = []
        self.address_column = ""
        self.nested = ""
        self._in_header = False

    def header(self, names: Sequence[str]) -> list[FileColumn]:
        """The columns of a header line; InputError unless each is known once, email among them."""
        self._in_header = True
        self._require_columns(names)
        self._decide_repeated(names)
        columns = [
            FileColumn(name, field) for name, field in zip(names, self._known(names), strict=True)
        ]
        columns = self._one_column_a_field(columns)
        given = [column.field.name for column in columns if column.field]
        return columns if "email" in given else self._with_address(columns)

    def _with_address(self, columns: list[FileColumn]) -> list[FileColumn]:
        """The only column that is called as addresses are gives them, where none is `email`."""
        names = [column.name for column in columns]
        called = [name for name in names if is_address_column(name) and name in self.unknown]
        if len(called) != 1 or preset_for(names):
            raise InputError("no column gives the field 'email'", hint=hint_for_email(names))
        self.address_column, at = called[0], names.index(called[0])
        self.left_out.pop(show_safely(called[0]), None)
        email = FileColumn(called[0], self._catalogue.by_name("email"))
        return [*columns[:at], email, *columns[at + 1 :]]

    def resolve(self, name: str) -> Field | None:
        """The field that a name gives, None for an ignored one; UsageError for any other."""
        if name not in self._found:
            self._found[name] = self._resolve(plain(name), name)
        return self._found[name]

    def _resolve(self, key: str, name: str) -> Field | None:
        for names in (self._renamed, self._ignored, self._preset):
            if key in names:
                return names[key]
        if key in self._spoken_of:  # a rule on a field does not take its values away
            field = self._catalogue.by_name(_as_field_name(key))
            return field if field and field.name not in STATUS_FIELDS else None
        return self._of_its_own(key, name)

    def _of_its_own(self, key: str, name: str) -> Field | None:
        """The field that has this very name; None, with a word about it, for any other name."""
        as_field = _as_field_name(key)
        if as_field == EXTERNAL_ID_FIELD:
            self._leave_out(name, _GIVEN_ELSEWHERE[as_field])
            return None
        field = _MEMBERSHIP_FIELDS.get(as_field) or self._catalogue.by_name(as_field)
        if as_field == ATTRIBUTES and self._in_header:
            self.nested = name
            return None
        if field is None:
            return self._of_no_field(name)
        if field.name.startswith(UNSUBSCRIBED_FIELD) and not self._options.all_inactive:
            self.undecided.append(name)  # ours are recorded, others' must be told what they mean
            return None
        reason = _reason_against(field)
        if reason is None:
            return None if field.name == "status" and self._options.all_inactive else field
        self._leave_out(name, reason)
        return None

    def _of_no_field(self, name: str) -> Field | None:
        """The attribute of this bare name; None, with a word about it, where there is none."""
        if looks_like_consent(name) and not self._options.all_inactive:
            self.undecided.append(name)
            return None
        as_field = _as_field_name(plain(name))
        if attribute := self._catalogue.by_name(f"{ATTRIBUTE_PREFIX}{as_field}"):
            return attribute
        self._require_no_mistake(name, as_field)
        self.unknown.append(name)
        self._leave_out(name, UNKNOWN_NAME)
        return None

    def _leave_out(self, name: str, reason: str) -> None:
        if not self._options.ignore_unknown:
            self.left_out[show_safely(name)] = reason

    def _require_no_mistake(self, name: str, field_name: str) -> None:
        """UsageError for what looks like a field, but mistyped, or an attribute not declared."""
        may_give_email = self._in_header and is_address_column(name)  # see _with_address
        if self._options.expects_other_columns or may_give_email:
            return
        known = [field.name for field in importable_fields(self._catalogue)]
        close = get_close_matches(field_name, known, n=1, cutoff=_MISTYPED_ABOVE)
        if field_name.startswith(ATTRIBUTE_PREFIX) or close:
            guess = did_you_mean(field_name, known)
            raise UsageError(
                f"unknown column '{show_safely(name)}'",
                hint=f"{guess} " * bool(guess)
                + _what_to_do_with(name, close[0] if close else "FIELD"),
            ) from None

    def _known(self, names: Sequence[str]) -> list[Field | None]:
        """The field of each name; InputError for those that look mistyped, all at once."""
        fields: list[Field | None] = []
        mistakes: list[UsageError] = []
        for name in names:
            try:
                fields.append(self.resolve(name))
            except InputError:
                raise
            except UsageError as error:
                mistakes.append(error)
        if mistakes:
            preset = preset_for(names)
            known = f"--preset {preset} reads such a file; or " if preset else ""
            told = mistakes[:_MISTAKES_TOLD]
            raise InputError(
                "; ".join(each.message for each in told),
                hint=known + "; ".join(each.hint for each in told),
            )
        return fields

    def _decide_repeated(self, names: Sequence[str]) -> None:
        """InputError for a field's column that comes twice, unless it is said which one counts."""
        by_key = {plain(name): name for name in names}
        said = self._renamed.keys() | self._ignored.keys()
        undecided: dict[str, list[str]] = {}
        for name in names:
            first = plain(_REPEATED.sub("", name))
            if plain(name) in said or first == plain(name) or first not in by_key:
                continue
            if first in said or self.resolve(by_key[first]) is None:
                self._found[name] = None
                self._leave_out(name, "a column before it has the same name")
            else:
                undecided.setdefault(by_key[first], []).append(name)
        for first, others in undecided.items():
            given = self.resolve(first)
            wanted = f"{others[0]}={given.name if given else 'FIELD'}"
            raise InputError(
                f"the header has '{show_safely(first)}' twice",
                hint=f"{' '.join(f'--ignore {as_word(each)}' for each in others)} leaves out what"
                f" comes after the first; to take the second one instead:"
                f" --ignore {as_word(first)} --map {as_word(wanted)}",
            )

    def _one_column_a_field(self, columns: Sequence[FileColumn]) -> list[FileColumn]:
        """The columns; of several that a preset maps to one field only the first choice has it."""
        by_field: dict[str, FileColumn] = {}
        dropped: set[str] = set()
        for column in sorted(columns, key=self._rank):
            if column.field is None:
                continue
            first = by_field.setdefault(column.field.name, column)
            if first is column:
                continue
            if not self._yields(column, to=first):
                raise InputError(
                    f"two columns give the field '{column.field.name}':"
                    f" '{show_safely(first.name)}' and '{show_safely(column.name)}'",
                    hint=f"leave one out, for example with --ignore {as_word(column.name)}",
                )
            dropped.add(column.name)
            self._leave_out(column.name, f"'{show_safely(first.name)}' gives {column.field.name}")
        return [
            FileColumn(column.name, None) if column.name in dropped else column
            for column in columns
        ]

    def _yields(self, column: FileColumn, *, to: FileColumn) -> bool:
        """Whether a preset lets one column have the field of another."""
        said = self._renamed.keys() | self._preset.keys()
        return (
            bool(self._preset)
            and plain(column.name) not in self._renamed
            and plain(to.name) in said
        )

    def _rank(self, column: FileColumn) -> tuple[int, int]:
        """What was said in the command first, then the preset in its order."""
        key = plain(column.name)
        if key in self._renamed:
            return (0, 0)
        return (1, self._preset_order[key]) if key in self._preset_order else (2, 0)

    def _target(self, said_by: str, name: str, target: str) -> Field:
        wanted = target.strip()
        if wanted in _MEMBERSHIP_FIELDS:
            return _MEMBERSHIP_FIELDS[wanted]
        try:
            field = self._catalogue.find(wanted)
        except CriteriaError as error:
            message = f"{said_by} '{show_safely(name)}={show_safely(target)}': {error.message}"
            raise UsageError(message, hint=error.hint) from None
        reason = _reason_against(field)
        if reason is not None:
            raise InputError(
                f"'{show_safely(target)}' cannot be imported: {reason}",
                hint=f"leave the column out with --ignore {as_word(name)}",
            )
        return field

    def may_be_nested(self, known: Field) -> bool:
        """Whether an attribute in a column of JSON can give the field."""
        return known.is_attribute or any(
            key.startswith(ATTRIBUTE_PREFIX) and field == known
            for key, field in self._renamed.items()
        )

    def _is_nested(self, name: str, known: Sequence[str]) -> bool:
        """Whether the name may be that of an attribute in a column of JSON."""
        return plain(name).startswith(ATTRIBUTE_PREFIX) and ATTRIBUTES in known

    def _require_columns(self, names: Sequence[str]) -> None:
        """An option for a column that is not there is a mistake."""
        known = [plain(name) for name in names]
        options: Mapping[str, Iterable[str]] = {
            "--map": self._options.renames,
            "--ignore": self._options.ignored,
            "--date-format": self._options.column_date_formats,
            "--inactive-when": [rule.column for rule in self._options.inactive],
        }
        for flag, columns in options.items():
            for column in columns:
                if plain(column) not in known and not self._is_nested(column, known):
                    raise UsageError(
                        f"{flag}: the file has no column '{show_safely(column)}'",
                        hint=did_you_mean(column, list(names))
                        or f"columns: {', '.join(map(show_safely, names))}",
                    )
        preset = self._options.preset
        if preset.name and not any(plain(name) in known for name in preset.columns):
            raise UsageError(
                f"the file has none of the columns of the preset {preset.name}",
                hint=f"columns: {', '.join(map(show_safely, names))}",
            )


def date_formats_of(options: ImportOptions, name: str) -> tuple[str, ...]:
    """The date formats of a column, in the order in which they are tried."""
    by_column = {plain(column): forms for column, forms in options.column_date_formats.items()}
    return by_column.get(plain(name), options.default_date_formats)


def _reason_against(field: Field) -> str | None:
    if field.name.startswith((RESPONSES_PREFIX, NOT_COUNTED_FIELD)):
        return "responses are counted from `responses ingest`"
    return _GIVEN_ELSEWHERE.get(field.name)


def _what_to_do_with(name: str, field: str) -> str:
    return (
        f"give it a field with --map {as_word(f'{name}={field}')},"
        f" or leave it out with --ignore {as_word(name)}"
    )


def _as_field_name(key: str) -> str:
    """`first name` is how people write first_name."""
    return "_".join(key.split())
