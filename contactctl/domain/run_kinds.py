"""The kinds of run: for each a registered type, with what a run of the kind keeps and says.

Those that repair contacts are in upkeep_kinds. To add one: its name in RunKind (run_details) and
its type here; if it works through a plan, also what it does to a batch of contacts, in the store
(`contactctl.store.plans.BatchWork`), where `work` finds it.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar

from contactctl.domain import upkeep_kinds  # noqa: F401  (theirs are registered, too)
from contactctl.domain.criteria.values import format_duration
from contactctl.domain.handling import TimedRule
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import HandlingAction
from contactctl.domain.run_details import RUN_TYPES as RUN_TYPES  # noqa: PLC0414 - handed on, filled
from contactctl.domain.run_details import EndedReason, RunDetails, UnreadDetails, run_type
from contactctl.domain.run_details import RunKind as RunKind  # noqa: PLC0414 - handed on


def details_from_json(kind: RunKind, kept: Mapping[str, Any]) -> RunDetails:
    """The details of a run of that kind, as the store has them."""
    try:
        return RUN_TYPES[kind].from_json(kept)
    except ValueError:
        return UnreadDetails(kept)


@dataclass(frozen=True)
class _OneOrManyRun(RunDetails):
    """A run for one contact, or (None) for those that criteria select."""

    contact: int | None = None

    def in_words(self) -> str:
        return "" if self.contact is None else f"contact {self.contact}"


@run_type
class DeactivateRun(_OneOrManyRun):
    """Deactivates contacts."""

    kind = RunKind.DEACTIVATE
    is_asked_for = True
    verb = "deactivate"
    work = "contactctl.store.deactivations:DEACTIVATING"
    deactivates = True
    next_step = "Reactivate one contact: contactctl reactivate EMAIL"


@run_type
class UndoRun(RunDetails):
    """Undoes a whole run."""

    kind = RunKind.UNDO
    for_admins = True
    verb = "reactivate"
    work = "contactctl.store.undo:UNDOING"
    ending = "undone {by}"
    told = "undoes run {run.undoes}"
    undoes: int


@run_type
class ReactivateRun(RunDetails):
    """Brings one contact back, everywhere or (`group`) in one group; `clears` an override there."""

    kind = RunKind.REACTIVATE
    contact: int
    group: str | None
    clears: bool
    ended: tuple[EndedReason, ...] = ()

    def in_words(self) -> str:
        if self.group is None:
            return f"contact {self.contact}"
        where = f"contact {self.contact} in {self.group}"
        return f"{where}, its override cleared" if self.clears else where


@dataclass(frozen=True)
class KeptThreshold:
    """A threshold in words, and in which group or SYSTEM_WIDE it deactivates."""

    category: str
    scope: int
    threshold: str


@run_type
class ThresholdsRun(RunDetails):
    """Deactivates who has reached a threshold, perhaps by the responses of one run."""

    kind = RunKind.THRESHOLDS
    leaves_due = True
    verb = "deactivate"
    work = "contactctl.store.thresholds.runs:APPLYING_THRESHOLDS"
    deactivates = True
    after_run: int | None = None
    thresholds: tuple[KeptThreshold, ...] | None = None

    def in_words(self) -> str:
        return "" if self.after_run is None else f"responses of run {self.after_run}"

    def threshold_of(self, category: str, scope: int) -> str:
        return " or ".join(
            each.threshold
            for each in self.thresholds or ()
            if (each.scope, each.category) == (scope, category)
        )


@run_type
class HandlingRun(RunDetails):
    """Carries out handling rules."""

    kind = RunKind.HANDLING
    verb = "handle"
    work = "contactctl.store.handling:HANDLING"
    rules: tuple[TimedRule, ...]
    as_of: datetime

    def waited(self, category: str, group_id: int | None) -> str:
        rules = {
            rule.group_id: rule
            for rule in self.rules
            if rule.action is HandlingAction.REACTIVATE and rule.category == category
        }
        rule = rules.get(group_id) or rules[None]
        return f"{category} after {format_duration(self.as_of - rule.cutoff)}"


@run_type
class ImportRun(RunDetails):
    """Imports a file; `renames` maps its columns to fields."""

    kind = RunKind.IMPORT
    told = "the file {run.file}"
    file: str
    renames: Mapping[str, str] = field(default_factory=dict)


@run_type
class SyncRun(RunDetails):
    """Brings contacts from a source of the config; `definition` stands for what was asked of it.

    `full`: from the beginning, not from where the run before it ended.
    """

    kind = RunKind.SYNC
    source: str
    definition: str
    full: bool = False

    def in_words(self) -> str:
        return f"the source {self.source}" + (", from the beginning" if self.full else "")


@run_type
class DeactivateMissingRun(RunDetails):
    """Deactivates the contacts that a source no longer has."""

    kind = RunKind.DEACTIVATE_MISSING
    told = "no longer in the source {run.source}"
    verb = "deactivate"
    work = "contactctl.store.deactivations:DEACTIVATING"
    deactivates = True
    next_step = "Reactivate one contact: contactctl reactivate EMAIL"
    source: str


@run_type
class AddRun(_OneOrManyRun):
    """Adds one contact."""

    kind = RunKind.ADD


_TOLD_OF_GROUPS = {
    "create": "the group {run.group} created",
    "rename": "the group {run.group} renamed to {run.to}",
    "set": "the group {run.group} set to {settings}",
    "delete": "the group {run.group} deleted",
    "add": "contact {run.contact} added to the group {run.group}",
    "remove": "contact {run.contact} removed from the group {run.group}",
}


@run_type
class GroupsRun(RunDetails):
    """Changes a group as a whole, or one contact's place in it.

    `action`: create, rename (`to`), set (`settings`), delete; add and remove (`contact`).
    """

    kind = RunKind.GROUPS
    for_admins = True
    action: str
    group: str
    to: str | None = None
    settings: Mapping[str, Any] | None = None
    contact: int | None = None

    def in_words(self) -> str:
        settings = _listed(self.settings) if self.settings else "the defaults"
        return _TOLD_OF_GROUPS[self.action].format(run=self, settings=settings)


@run_type
class RemoveFromGroupRun(RunDetails):
    """Takes the contacts that criteria select out of a group."""

    kind = RunKind.REMOVE_FROM_GROUP
    is_asked_for = True
    told = "removed from the group {run.group}"
    verb = "remove"
    work = "contactctl.store.groups:REMOVING_FROM_GROUP"
    group: str
    group_id: int


@run_type
class IngestRun(RunDetails):
    """Records responses from files (`sources`, read as `format`), from a mailbox, or from a
    provider's API (`source`, its name in the config)."""

    kind = RunKind.INGEST
    sources: tuple[str, ...] | None = None
    format: str | None = None
    mailbox: str | None = None
    source: str | None = None

    def in_words(self) -> str:
        if self.source:
            return f"the source {self.source}"
        return f"the mailbox {self.mailbox}" if self.mailbox else ", ".join(self.sources or ())


@dataclass(frozen=True)
class _HeldRun(RunDetails):
    """Decides about held responses: those of an incident, a run or a domain, or all."""

    run: int | None
    domain: str | None
    incident: int | None = None

    def in_words(self) -> str:
        incident = f" of incident {self.incident}" if self.incident is not None else ""
        run = f" of run {self.run}" if self.run is not None else ""
        domain = f" from {self.domain}" if self.domain else ""
        which = f"{incident}{run}{domain}"
        return f"held responses{which}" if which else "all held responses"


@run_type
class ReleaseRun(_HeldRun):
    """Lets held responses count."""

    kind = RunKind.RELEASE


@run_type
class DiscardRun(_HeldRun):
    """Keeps held responses on record, never to count."""

    kind = RunKind.DISCARD


@dataclass(frozen=True)
class ErasingRun(_OneOrManyRun):
    """Erases contacts; `warning` says what goes, `done` what was done."""

    preparation = "contactctl.operations.erasure:with_key"
    erases = True
    for_admins = True
    warning: ClassVar[str]
    done: ClassVar[str]


@run_type
class AnonymizeRun(ErasingRun):
    """Leaves of contacts their number."""

    kind = RunKind.ANONYMIZE
    verb = "anonymize"
    work = "contactctl.store.erasure:ANONYMISING"
    done = "anonymised"
    warning = (
        "Name, address, attributes, tags, memberships and responses are removed for good;"
        " a number stays for the totals."
    )


@run_type
class DeleteRun(ErasingRun):
    """Deletes contacts."""

    kind = RunKind.DELETE
    verb = "delete"
    work = "contactctl.store.erasure:DELETING"
    done = "deleted"
    warning = "The contact and everything stored about it are deleted for good."


@run_type
class SuppressionsRun(RunDetails):
    """Changes the suppressed addresses: `action` is add, import, remove or rotate-key."""

    kind = RunKind.SUPPRESSIONS
    for_admins = True
    action: str
    file: str | None = None

    def in_words(self) -> str:
        action = self.action.replace("-", " ")
        return action if self.file is None else f"{action} the file {self.file}"


@run_type
class PushRun(RunDetails):
    """Makes a provider's suppression list (`source`) follow who is inactive: `adding` contacts to
    it, and taking off those active again (`removing`), as counted when it was asked for."""

    kind = RunKind.PUSH
    told = "{run.source}: {run.adding:,} to suppress, {run.removing:,} to take off"
    verb = "push"
    work = "contactctl.store.pushing:PUSHING"
    preparation = "contactctl.operations.pushing:with_provider"
    source: str
    adding: int = 0
    removing: int = 0


@run_type
class PolicyRun(RunDetails):
    """Puts another policy in force: its number, and the settings that it changed."""

    kind = RunKind.POLICY
    for_admins = True
    policy: int
    settings: tuple[str, ...] = ()

    def in_words(self) -> str:
        settings = ", ".join(self.settings)
        return f"policy {self.policy}" + (f": {settings}" if settings else "")


@run_type
class CopyRun(RunDetails):
    """Filled this store with all that another held."""

    kind = RunKind.COPY
    for_admins = True
    told = "{run.rows:,} rows of {run.source}"
    source: str
    rows: int


def _listed(value: object) -> str:
    """Settings on one line: `deactivate=group, bypass_system_wide=yes`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_listed(each)}" for name, each in value.items())
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
