"""The names of the kinds of run, and what all runs keep and say of themselves."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from contactctl.domain.lazy import dataclass
from contactctl.domain.plain_data import from_plain, to_plain


class RunKind(StrEnum):
    """What a run does."""

    DEACTIVATE = "deactivate"
    UNDO = "undo"
    REACTIVATE = "reactivate"
    THRESHOLDS = "thresholds"
    HANDLING = "handling"
    IMPORT = "import"
    SYNC = "sync"
    DEACTIVATE_MISSING = "deactivate-missing"
    ADD = "add"
    GROUPS = "groups"
    REMOVE_FROM_GROUP = "remove-from-group"
    INGEST = "ingest"
    RELEASE = "release"
    DISCARD = "discard"
    ANONYMIZE = "anonymize"
    DELETE = "delete"
    SUPPRESSIONS = "suppressions"
    PUSH = "push-suppressions"
    POLICY = "policy"
    COPY = "copy"
    EDIT = "edit"
    READDRESS = "readdress"
    MERGE = "merge"
    TAG = "tag"
    UNTAG = "untag"
    ATTRIBUTES = "attributes"


RUN_TYPES: dict[RunKind, type["RunDetails"]] = {}

_Details = TypeVar("_Details", bound="RunDetails")


@dataclass_transform(frozen_default=True)
def run_type(described: type[_Details]) -> type[_Details]:
    """A frozen dataclass by which the runs of its kind are read and told."""
    made = dataclass(frozen=True)(described)
    RUN_TYPES[made.kind] = made
    return made


@dataclass(frozen=True)
class KeptList:
    """What a run keeps of a list of addresses: the file's name, how many different addresses it
    has, how many of them no contact had, and how many lines were not addresses. None of them."""

    file: str
    addresses: int
    unknown: int
    unreadable: int


@dataclass(frozen=True, kw_only=True)
class KeptCriteria:
    """What a run keeps of criteria: the text, and every date as it was counted out.

    `conditions` has each condition as written and with its dates filled in; `emails` is the list
    of addresses that contacts had to be in as well.
    """

    criteria: Mapping[str, Any]
    conditions: tuple[tuple[str, str], ...]
    lines: tuple[str, ...] = ()
    as_of: datetime
    time_zone: str
    prebuilt: bool
    emails: KeptList | None = None


@dataclass(frozen=True)
class RunDetails:
    """What a run of one kind was told to do: numbers, names of groups, criteria; no address.

    Of all runs of the kind: `verb` is what a plan of theirs asks people to confirm; `work` names
    their BatchWork (`module:name`), '' where they have no plan to work through, and `preparation`
    what gives it a key or a way to a provider; `next_step` is a
    hint for when one is done; `ending` says how a deactivation ended that such a run has ended,
    `where` and `by` whom; `told` says what a `run` was told to do. Those `for_admins` no operator
    may begin; those with a plan that `is_asked_for` somebody chooses and confirms, and the others
    follow rules. One that `leaves_due` may leave contacts that are to be looked at again.

    Of each run: `selected`, the criteria that its contacts met, and `left_out`, how many did not
    for want of a value, by field; None where nothing of the sort was asked.
    """

    kind: ClassVar[RunKind]
    verb: ClassVar[str] = ""
    work: ClassVar[str] = ""
    deactivates: ClassVar[bool] = False
    erases: ClassVar[bool] = False
    preparation: ClassVar[str] = ""
    for_admins: ClassVar[bool] = False
    is_asked_for: ClassVar[bool] = False
    leaves_due: ClassVar[bool] = False
    next_step: ClassVar[str] = ""
    told: ClassVar[str] = ""
    ending: ClassVar[str] = "reactivated{where} {by}"
    selected: KeptCriteria | None = field(default=None, kw_only=True)
    left_out: Mapping[str, int] | None = field(default=None, kw_only=True)

    def in_words(self) -> str:
        """What the run was told to do; '' where its kind and its criteria say all."""
        return self.told.format(run=self)

    def threshold_of(self, category: str, scope: int) -> str:  # noqa: ARG002
        """The threshold that the run carries out in a group or SYSTEM_WIDE, in words."""
        return ""

    def waited(self, category: str, group_id: int | None) -> str:  # noqa: ARG002
        """How long the deactivations that the run ended had to wait by rule, in words."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """What the store keeps, and programs get; criteria stand beside the rest."""
        plain: dict[str, Any] = to_plain(self)
        return {**(plain.pop("selected", None) or {}), **plain}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` gave; ValueError for anything else."""
        selected = {"selected": kept} if "criteria" in kept else {}
        read: Self = from_plain(cls, {**kept, **selected})
        return read


@dataclass(frozen=True)
class UnreadDetails(RunDetails):
    """What a run keeps that this version does not write so: handed on as it is."""

    kept: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.kept)


@dataclass(frozen=True)
class EndedReason:
    """A deactivation that somebody ended: `run` had opened it."""

    run: int
    origin: str
    category: str
