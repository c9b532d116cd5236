"""The kinds of run that repair contacts: their data, addresses, tags and attributes."""

from contactctl.domain.lazy import dataclass
from contactctl.domain.run_details import EndedReason, RunDetails, RunKind, run_type


@run_type
class EditRun(RunDetails):
    """Changes data of one contact: the fields that it was given, or lost; not their values."""

    kind = RunKind.EDIT
    contact: int
    fields: tuple[str, ...]

    def in_words(self) -> str:
        return f"contact {self.contact}: {', '.join(self.fields)}"


@run_type
class ReaddressRun(RunDetails):
    """Gives one contact another address, and ends what was only about the old one."""

    kind = RunKind.READDRESS
    told = "another address for contact {run.contact}"
    ending = "ended{where} by a new address {by}"
    contact: int
    ended: tuple[EndedReason, ...] = ()


@run_type
class MergeRun(RunDetails):
    """Moves all that is kept of one contact, `merged`, into another, and deletes it."""

    kind = RunKind.MERGE
    for_admins = True
    told = "contact {run.merged} merged into contact {run.contact}"
    ending = "ended{where} by a merge {by}"
    contact: int
    merged: int


@dataclass(frozen=True)
class _TagsRun(RunDetails):
    """Changes a tag of one contact, or of those that criteria select."""

    work = "contactctl.store.upkeep:CHANGING_TAGS"
    is_asked_for = True
    tag: str
    contact: int | None = None

    def in_words(self) -> str:
        of_one = "" if self.contact is None else f", contact {self.contact}"
        return f"the tag {self.tag}{of_one}"


@run_type
class TagRun(_TagsRun):
    """Gives contacts a tag."""

    kind = RunKind.TAG
    verb = "tag"


@run_type
class UntagRun(_TagsRun):
    """Takes a tag away from contacts."""

    kind = RunKind.UNTAG
    verb = "untag"


@run_type
class AttributesRun(RunDetails):
    """Gives an attribute of all contacts another name (`to`), or drops it."""

    kind = RunKind.ATTRIBUTES
    for_admins = True
    verb = "change"
    work = "contactctl.store.upkeep:CHANGING_ATTRIBUTES"
    attribute: str
    to: str | None = None

    def in_words(self) -> str:
        done = "dropped" if self.to is None else f"renamed to {self.to}"
        return f"the attribute {self.attribute} {done}"
