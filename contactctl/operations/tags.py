"""Tags of one contact, or of those that criteria select; every change is a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.contact_values import parse_group_name
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.runs import Confirmation, Run
from contactctl.domain.upkeep_kinds import TagRun, UntagRun
from contactctl.operations.criteria import Selection
from contactctl.operations.plans import Affected, affected, write_confirmed_plan
from contactctl.operations.session import Session
from contactctl.store.contacts import contact_named, is_anonymised
from contactctl.store.database.locks import serialise
from contactctl.store.preview import is_contact
from contactctl.store.runs import CONTACT_CHANGES, insert_done_run
from contactctl.store.tags import change_tag, count_tags, plan_tags, to_change_among
from contactctl.store.tags import list_tags as read_tags

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
        return Tags(count_tags(connection), read_tags(connection, limit))


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
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        contact_id = contact_named(connection, contact)
        if is_anonymised(connection, contact_id):
            raise RefusedError(f"contact {contact_id} was anonymised; nothing is left to change")
        request = session.request(changing(tag, contact_id), reason=reason)
        run_id = insert_done_run(connection, request, identity=session.store.identity, now=now)
        chosen = is_contact(contact_id)
        if not change_tag(connection, run_id, changing.kind, tag, chosen, now):
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
        lambda connection, run_id: plan_tags(connection, run_id, where, changing.kind, tag),
        said,
    )


def preview_changing(
    session: Session, changing: Changing, tag: str, selection: Selection
) -> Affected:
    """The contacts whom it would change."""
    where = selection.where(session.store.dialect)
    to_change = to_change_among(where, changing.kind, tag)
    return affected(session, changing.kind, selection, to_change, does=f"{changing.verb}: {tag}")
