"""Contacts looked after by hand: one deactivated, tags and attributes changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.contacts import Origin, Status
from contactctl.domain.criteria.fields import ATTRIBUTE_PREFIX, did_you_mean
from contactctl.domain.errors import NotFoundError, RefusedError, UsageError
from contactctl.domain.handling import ContactStanding
from contactctl.domain.name_cells import parse_group_name
from contactctl.domain.run_kinds import DeactivateRun
from contactctl.domain.runs import Confirmation, Run, RunKind, Stakes
from contactctl.domain.text import counted, show_safely
from contactctl.domain.upkeep_kinds import AttributesRun, TagRun, UntagRun
from contactctl.operations.contacts import standing_of
from contactctl.operations.criteria import Selection
from contactctl.operations.plans import Affected, affected, stakes_of_plan, write_confirmed_plan
from contactctl.operations.session import Session
from contactctl.store import upkeep
from contactctl.store.contacts import contact_named, is_anonymised
from contactctl.store.database.locks import taking_turn
from contactctl.store.deactivations import deactivate_contact, require_as_shown
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures, plan_of
from contactctl.store.runs import insert_done_run
from contactctl.store.selections import is_contact
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.upkeep import list_tags as read_tags

# Deactivating one contact


@dataclass(frozen=True, slots=True)
class Deactivated:
    """What was done to the contact; `run` None: somebody had done so before."""

    contact: ContactStanding
    run: int | None


def read_one(session: Session, name: str) -> ContactStanding:
    """The contact by email or number; RefusedError for one that was anonymised."""
    return standing_of(session, name, erased="nothing is left to change")


def is_deactivated_by_hand(contact: ContactStanding) -> bool:
    """Whether nothing would change: an individual deactivation of it is open system-wide."""
    reasons = contact.reasons_in(SYSTEM_WIDE)
    return any(each.origin is Origin.INDIVIDUAL for each in reasons)


def deactivate_one(session: Session, contact: ContactStanding, *, reason: str = "") -> Deactivated:
    """Deactivate the contact that was shown, system-wide, until somebody reactivates it.

    One that is inactive already has a further reason then, which no rule ends.
    """
    if is_deactivated_by_hand(contact):
        return Deactivated(contact, None)
    now = session.clock()
    request = session.request(DeactivateRun(contact=contact.id), reason=reason)
    with taking_turn(session.store) as connection:
        require_as_shown(connection, contact)
        active, was_active = count_active(connection), contact.status is Status.ACTIVE
        totals = {"active_before": active, "active_after": active - was_active}
        run_id = insert_done_run(connection, request, now, **totals)
        deactivate_contact(connection, contact.id, run_id, now, was_active=was_active)
    return Deactivated(contact, run_id)


# Tags of one contact, or of those that criteria select; every change is a run


Changing = type[TagRun] | type[UntagRun]


@dataclass(frozen=True, slots=True)
class Tags:
    """The first tags in order, each with its number of contacts, and how many there are."""

    total: int
    rows: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class TagChange:
    """The tag of one contact; `run` None: it was so already."""

    tag: str
    contact: int
    run: int | None


def list_tags(session: Session, limit: int) -> Tags:
    """The tags that contacts have."""
    with session.store.reading() as connection:
        return Tags(upkeep.count_tags(connection), read_tags(connection, limit))


def tag_name(text: str) -> str:
    """A tag as it is kept; UsageError for what cannot be one."""
    try:
        return parse_group_name(text)
    except ValueError as error:
        raise UsageError(f"not a tag: {error}") from None


def change_tag_of_one(
    session: Session, changing: Changing, tag: str, contact: str, *, reason: str = ""
) -> TagChange:
    """Give a tag to one contact, by email or id, or take it away."""
    now = session.clock()
    with taking_turn(session.store) as connection:
        contact_id = contact_named(connection, contact)
        if is_anonymised(connection, contact_id):
            raise RefusedError(f"contact {contact_id} was anonymised; nothing is left to change")
        request = session.request(changing(tag, contact_id), reason=reason)
        run_id = insert_done_run(connection, request, now)
        chosen = is_contact(contact_id)
        if not upkeep.change_tag(connection, run_id, changing.kind, tag, chosen, now):
            connection.rollback()
            return TagChange(tag, contact_id, None)
    return TagChange(tag, contact_id, run_id)


def plan_changing(
    session: Session,
    changing: Changing,
    tag: str,
    selection: Selection,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the selected contacts that lack, or have, the tag; None when there are none."""
    where = selection.where(session.store.dialect)
    return write_confirmed_plan(
        session,
        session.request(changing(tag, selected=selection.kept()), reason=reason),
        plan_of(upkeep.to_change_among(where, changing.kind, tag)),
        said,
    )


def preview_changing(
    session: Session, changing: Changing, tag: str, selection: Selection
) -> Affected:
    """The contacts whom it would change."""
    where = selection.where(session.store.dialect)
    to_change = upkeep.to_change_among(where, changing.kind, tag)
    return affected(session, changing.kind, selection, to_change, does=f"{changing.verb}: {tag}")


# Attributes that contacts have, held against those that the config declares


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: how many contacts have it, and its declared type; None: not declared.

    `unfit` of them have a value of another type, which criteria do not see.
    """

    name: str
    contacts: int
    type: str | None
    unfit: int = 0


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """An attribute that is to be renamed (`to`) or dropped, and of how many contacts."""

    database: str
    name: str
    to: str | None
    count: int
    stakes: Stakes


def list_attributes(session: Session) -> Sequence[Attribute]:
    """Every attribute that is declared or that a contact has, by name."""
    declared = session.settings.attributes
    with session.store.reading() as connection:
        stored = upkeep.count_attributes(connection)
        unfit = {
            name: upkeep.count_misfits(
                connection, session.catalogue.find(f"{ATTRIBUTE_PREFIX}{name}")
            )
            for name in declared.keys() & stored.keys()
        }
    return [
        Attribute(
            name,
            stored.get(name, 0),
            declared[name].type if name in declared else None,
            unfit.get(name, 0),
        )
        for name in sorted({*declared, *stored})
    ]


def preview_change(session: Session, name: str, to: str | None) -> AttributeChange:
    """What renaming or dropping would do. UsageError for a name that the config does not declare,
    NotFoundError for one that no contact has, RefusedError where contacts have both."""
    _require_sensible(session, name, to)
    with session.store.reading() as connection:
        stored = upkeep.count_attributes(connection)
        if name not in stored:
            raise NotFoundError(
                f"no contact has the attribute '{show_safely(name)}'",
                hint=did_you_mean(name, list(stored)) or "`contactctl db attributes` lists them",
            )
        if to is not None and (both := upkeep.count_both(connection, name, to)):
            raise RefusedError(
                f"both '{show_safely(name)}' and '{to}' are set for {counted(both, 'contact')}",
                hint=f"which one is right? `contactctl db attributes --drop {show_safely(name)}`"
                " drops the other",
                code="has-both",
            )
        count = stored[name]
        figures = PlanFigures(RunKind.ATTRIBUTES, count, count_active(connection))
    stakes = stakes_of_plan(session, figures)
    return AttributeChange(session.store.identity, name, to, count, stakes)


def plan_change(
    session: Session,
    name: str,
    to: str | None,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the contacts that have the attribute; None where none has."""
    _require_sensible(session, name, to)
    return write_confirmed_plan(
        session,
        session.request(AttributesRun(name, to), reason=reason),
        plan_of(upkeep.has_attribute(name, session.store.dialect)),
        said,
    )


def _require_sensible(session: Session, name: str, to: str | None) -> None:
    declared = session.settings.attributes
    if name in declared:
        raise UsageError(
            f"the config declares '{name}'",
            hint="take it out there first; imports would bring it back",
        )
    if to is not None and to not in declared:
        raise UsageError(
            f"the config does not declare '{show_safely(to)}'",
            hint=did_you_mean(to, list(declared)) or "declare it below `attributes:` first",
        )
