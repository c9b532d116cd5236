"""The fields that criteria can test and contacts carry, and the operators that fit them."""

from collections.abc import Mapping
from dataclasses import field
from difflib import get_close_matches
from enum import Enum, StrEnum, auto
from functools import cached_property

from contactctl.domain.errors import CriteriaError
from contactctl.domain.lazy import dataclass
from contactctl.domain.responses import NOT_COUNTED, Category
from contactctl.domain.text import show_safely

ATTRIBUTE_PREFIX = "attributes."
RESPONSES_PREFIX = "responses."
NOT_COUNTED_FIELD = "responses_not_counted"
EXTERNAL_ID_FIELD = "external_id"  # of output alone
LAST_ENGAGED_FIELD = "last_engaged"
UNSUBSCRIBED_FIELD = "unsubscribed"
UNSUBSCRIBED_FROM_FIELD = "unsubscribed_from"
COUNT_FIELDS = ("mails_received", "mails_since_engaged")
DEACTIVATION_RUN_FIELD = "deactivation_run"


class FieldType(StrEnum):
    """The kind of value a field holds; it decides which operators fit."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    SET = "set"


@dataclass(frozen=True)
class Field:
    """One field: `name` as written in criteria, `choices` for closed lists.

    `always_present` fields are never missing. Choices are compared folded (domain.text.fold).
    """

    name: str
    type: FieldType
    help: str
    choices: tuple[str, ...] = ()
    always_present: bool = False

    @property
    def attribute(self) -> str | None:
        """The attribute's bare name, None for a built-in field."""
        return self.name.removeprefix(ATTRIBUTE_PREFIX) if self.is_attribute else None

    @property
    def is_attribute(self) -> bool:
        return self.name.startswith(ATTRIBUTE_PREFIX)

    @property
    def response_category(self) -> str | None:
        """The category that a `responses.` field counts, None for any other field."""
        is_count = self.name.startswith(RESPONSES_PREFIX)
        return self.name.removeprefix(RESPONSES_PREFIX) if is_count else None

    @property
    def is_whole_number(self) -> bool:
        """The built-in numbers are counts and ids; attributes may have decimals."""
        return self.type is FieldType.NUMBER and not self.is_attribute


@dataclass(frozen=True)
class AttributeDeclaration:
    """A contact attribute declared in the config, with its type and (for choices) its values."""

    name: str
    type: FieldType
    choices: tuple[str, ...] = ()


_CATEGORIES = tuple(category.value for category in Category)

BUILT_IN_FIELDS: tuple[Field, ...] = (
    Field("id", FieldType.NUMBER, "the contact's number in this store", always_present=True),
    Field("email", FieldType.TEXT, "the address, as its normalised key", always_present=True),
    Field("email_domain", FieldType.TEXT, "the address's domain", always_present=True),
    Field("first_name", FieldType.TEXT, "first name"),
    Field("last_name", FieldType.TEXT, "last name"),
    Field("phone", FieldType.TEXT, "telephone number"),
    Field("company", FieldType.TEXT, "company"),
    Field("status", FieldType.CHOICE, "active or inactive", ("active", "inactive"), True),
    Field("source", FieldType.TEXT, "where the contact came from"),
    Field("tag", FieldType.SET, "tags of the contact"),
    Field("group", FieldType.SET, "groups the contact is a member of"),
    Field("created", FieldType.INSTANT, "when the contact was added here", always_present=True),
    Field(
        "updated", FieldType.INSTANT, "when the contact's data last changed", always_present=True
    ),
    Field("last_opportunity", FieldType.DATE, "date of the last opportunity (deal, order, quote)"),
    Field("last_emailed", FieldType.INSTANT, "when a mail was last delivered"),
    Field("last_opened", FieldType.INSTANT, "when a person last opened a mail"),
    Field("last_clicked", FieldType.INSTANT, "when a person last clicked a link"),
    Field(LAST_ENGAGED_FIELD, FieldType.INSTANT, "the later of last_opened and last_clicked"),
    Field(
        "last_machine_opened",
        FieldType.INSTANT,
        "when a proxy or a scanner last opened a mail or followed a link",
    ),
    Field("mails_received", FieldType.NUMBER, "mails delivered, ever", always_present=True),
    Field(
        "mails_since_engaged",
        FieldType.NUMBER,
        "mails delivered since last_engaged, or ever",
        always_present=True,
    ),
    Field("deactivated", FieldType.INSTANT, "start of the latest open system-wide deactivation"),
    Field(
        "deactivation_origin",
        FieldType.SET,
        "origins of the open system-wide deactivations",
        ("bulk", "individual", "threshold", "import", "unsubscribe"),
    ),
    Field(
        "deactivation_category",
        FieldType.SET,
        "response categories of the open system-wide deactivations",
        _CATEGORIES,
    ),
    Field(
        DEACTIVATION_RUN_FIELD,
        FieldType.SET,
        "numbers of the runs that opened the open system-wide deactivations",
    ),
    Field("reactivated", FieldType.INSTANT, "when the contact last became active again"),
    Field(
        UNSUBSCRIBED_FIELD,
        FieldType.INSTANT,
        "when the person last unsubscribed, from all mail or from a group",
    ),
    Field(UNSUBSCRIBED_FROM_FIELD, FieldType.SET, "groups that the person unsubscribed from, ever"),
    *(
        Field(
            f"{RESPONSES_PREFIX}{name}",
            FieldType.NUMBER,
            f"counted {name} responses, ever",
            always_present=True,
        )
        for name in _CATEGORIES
    ),
    Field(
        NOT_COUNTED_FIELD,
        FieldType.SET,
        "why responses of the contact do not count",
        NOT_COUNTED,
    ),
)


@dataclass(frozen=True)
class FieldCatalogue:
    """Built-in fields plus the declared attributes; the only way to turn a name into a Field."""

    attributes: Mapping[str, AttributeDeclaration] = field(default_factory=dict)

    def fields(self) -> list[Field]:
        """Every field, built-in ones first, attributes in the order of their declaration."""
        declared = [
            Field(f"{ATTRIBUTE_PREFIX}{a.name}", a.type, "declared in the config", a.choices)
            for a in self.attributes.values()
        ]
        return [*BUILT_IN_FIELDS, *declared]

    def names(self) -> list[str]:
        """The name of every field, in the same order."""
        return [each.name for each in self.fields()]

    def find(self, name: str) -> Field:
        """The field of that name (case ignored); CriteriaError with a did-you-mean otherwise."""
        found = self._by_name.get(name.casefold())
        if found is None:
            raise CriteriaError(f"unknown field '{show_safely(name)}'", hint=self._hint_for(name))
        return found

    def by_name(self, name: str) -> Field | None:
        """The field of that name (case ignored), None where there is none."""
        return self._by_name.get(name.casefold())

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {candidate.name.casefold(): candidate for candidate in self.fields()}

    def _hint_for(self, name: str) -> str:
        if name.startswith(ATTRIBUTE_PREFIX):
            return self._attribute_hint(name.removeprefix(ATTRIBUTE_PREFIX))
        as_attribute = f"{ATTRIBUTE_PREFIX}{name}".casefold()
        if as_attribute in self._by_name:
            return f"did you mean '{as_attribute}'?"
        longer = [known for known in self._by_name if known.startswith(f"{name.casefold()}_")]
        if len(longer) > 1:  # the first word of a name written with blanks
            return f"did you mean one of {', '.join(longer)}?"
        return did_you_mean(name, list(self._by_name)) or "`contactctl fields` lists every field"

    def _attribute_hint(self, bare_name: str) -> str:
        close = get_close_matches(bare_name.casefold(), self.attributes, n=1)
        if close:
            return f"did you mean '{ATTRIBUTE_PREFIX}{close[0]}'?"
        return "declare it in the config under 'attributes:', with its type"


def did_you_mean(name: str, known: list[str]) -> str:
    """`did you mean 'x'?` for the closest known name, or an empty string."""
    spelled = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), spelled, n=1, cutoff=0.6)
    return f"did you mean '{spelled[close[0]]}'?" if close else ""


# The operators of criteria: which field types they fit, and what value they take


class Operator(StrEnum):
    """An operator as written in a condition."""

    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "not-in"
    CONTAINS = "contains"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    ON = "on"
    OLDER_THAN = "older-than"
    WITHIN_LAST = "within-last"
    WITHIN_NEXT = "within-next"
    LATER_THAN = "later-than"
    MISSING = "missing"
    EXISTS = "exists"


class Takes(Enum):
    """What follows an operator."""

    NOTHING = auto()
    ONE = auto()
    SEVERAL = auto()
    RANGE = auto()  # two values, both included
    SPAN = auto()  # a number and a calendar unit


@dataclass(frozen=True)
class Usage:
    """How an operator is written: what it takes, an example, and what it means for a field."""

    takes: Takes
    example: str
    meaning: str


USAGES: Mapping[Operator, Usage] = {
    Operator.EQUALS: Usage(Takes.ONE, "VALUE", "is exactly this"),
    Operator.NOT_EQUALS: Usage(Takes.ONE, "VALUE", "has a value, but a different one"),
    Operator.IN: Usage(Takes.SEVERAL, "A,B", "is one of these"),
    Operator.NOT_IN: Usage(Takes.SEVERAL, "A,B", "has a value, but none of these"),
    Operator.CONTAINS: Usage(Takes.ONE, "TEXT", "contains this text"),
    Operator.STARTS_WITH: Usage(Takes.ONE, "TEXT", "begins with this text"),
    Operator.ENDS_WITH: Usage(Takes.ONE, "TEXT", "ends with this text"),
    Operator.LESS: Usage(Takes.ONE, "NUMBER", "is less than this"),
    Operator.AT_MOST: Usage(Takes.ONE, "NUMBER", "is this or less"),
    Operator.GREATER: Usage(Takes.ONE, "NUMBER", "is more than this"),
    Operator.AT_LEAST: Usage(Takes.ONE, "NUMBER", "is this or more"),
    Operator.BETWEEN: Usage(Takes.RANGE, "A and B", "is between these two, both included"),
    Operator.BEFORE: Usage(Takes.ONE, "DATE", "is before this"),
    Operator.AFTER: Usage(Takes.ONE, "DATE", "is after this"),
    Operator.ON: Usage(Takes.ONE, "DATE", "is on this day"),
    Operator.OLDER_THAN: Usage(Takes.SPAN, "24 months", "is longer ago than this"),
    Operator.WITHIN_LAST: Usage(Takes.SPAN, "30 days", "is at most this long ago"),
    Operator.WITHIN_NEXT: Usage(Takes.SPAN, "2 weeks", "is at most this far ahead"),
    Operator.LATER_THAN: Usage(Takes.SPAN, "1 year", "is further ahead than this"),
    Operator.MISSING: Usage(Takes.NOTHING, "", "has no value that fits its type"),
    Operator.EXISTS: Usage(Takes.NOTHING, "", "has a value"),
}

_PRESENCE = (Operator.MISSING, Operator.EXISTS)
_EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS)
OF_WHOLE_VALUES = (*_EQUALITY, Operator.IN, Operator.NOT_IN)
_SEARCH = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_ORDER = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
_TIME = (
    *(Operator.BEFORE, Operator.AFTER, Operator.ON, Operator.BETWEEN),
    *(Operator.OLDER_THAN, Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.LATER_THAN),
)

OPERATORS: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.TEXT: (*OF_WHOLE_VALUES, *_SEARCH, *_PRESENCE),
    FieldType.CHOICE: (*OF_WHOLE_VALUES, *_PRESENCE),
    FieldType.NUMBER: (*OF_WHOLE_VALUES, *_ORDER, Operator.BETWEEN, *_PRESENCE),
    FieldType.BOOLEAN: (*_EQUALITY, *_PRESENCE),
    FieldType.DATE: (*_TIME, *_PRESENCE),
    FieldType.INSTANT: (*_TIME, *_PRESENCE),
    FieldType.SET: (*OF_WHOLE_VALUES, *_PRESENCE),
}
