"""Another address for one contact, and one contact merged into another; both shown before."""

from dataclasses import dataclass

from contactctl.domain.contacts import ContactRecord
from contactctl.domain.emails import EmailAddress, parse_email
from contactctl.domain.errors import NotFoundError, RefusedError, RejectedError, UsageError
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.responses import Category
from contactctl.domain.run_details import EndedReason
from contactctl.domain.runs import RunState
from contactctl.domain.text import show_safely
from contactctl.domain.upkeep_kinds import MergeRun, ReaddressRun
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.operations.upkeep import read_one
from contactctl.store.addresses import former_among, id_of_key, spell_address
from contactctl.store.contacts import get_record
from contactctl.store.database.locks import serialise
from contactctl.store.deactivations import read_standing
from contactctl.store.impact import count_active
from contactctl.store.merge import give_address, merge_contact
from contactctl.store.responses import count_unmatched
from contactctl.store.runs import CONTACT_CHANGES, finish_one, insert_run


@dataclass(frozen=True, slots=True)
class NewAddress:
    """A contact as it was read, and the address that it is to have.

    `waiting` responses to that address become the contact's.
    """

    contact: ContactStanding
    address: EmailAddress
    waiting: int = 0

    @property
    def is_same(self) -> bool:
        """Whether it is the same address, perhaps written in another way."""
        return self.address.key == self.contact.email_key

    @property
    def changes(self) -> bool:
        return self.address.email != self.contact.email

    @property
    def ending(self) -> list[Reason]:
        """The deactivations that were about the old address."""
        if self.is_same:
            return []
        invalid = Category.INVALID_ADDRESS
        return [each for each in self.contact.reasons if each.category == invalid]


@dataclass(frozen=True, slots=True)
class Done:
    """The contact afterwards; `run` None: nothing had to be done."""

    contact: ContactStanding
    run: int | None


@dataclass(frozen=True, slots=True)
class Merging:
    """The contact that stays, the one that is moved into it, and all that each has."""

    into: ContactStanding
    gone: ContactStanding
    into_record: ContactRecord
    gone_record: ContactRecord


def find_new_address(session: Session, name: str, new: str) -> NewAddress:
    """The contact by email or number, and its new address; errors for what is not possible."""
    try:
        address = parse_email(new)
    except ValueError as error:
        raise UsageError(f"'{show_safely(new)}' is not an email address: {error}") from None
    contact = read_one(session, name)
    with session.store.reading() as connection:
        return NewAddress(contact, address, count_unmatched(connection, address.key))


def readdress(session: Session, target: NewAddress, *, reason: str = "") -> Done:
    """Do it, in one transaction; RefusedError where the contact changed since it was shown, or
    another has the address; RejectedError where it is suppressed."""
    contact, address = target.contact, target.address
    if not target.changes:
        return Done(contact, None)
    now = session.clock()
    ended = tuple(EndedReason(each.run, each.origin, each.category) for each in target.ending)
    request = session.request(ReaddressRun(contact.id, ended), reason=reason)
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        _require_as_shown(contact, read_standing(connection, contact.id))
        run_id = insert_run(
            connection,
            request,
            state=RunState.RUNNING,
            identity=session.store.identity,
            now=now,
            values={"active_before": count_active(connection), "results": {"ended": len(ended)}},
        )
        if target.is_same:
            spell_address(connection, contact.id, address.email, now)
        else:
            _require_free(contact, id_of_key(connection, address.key))
            _require_not_former(contact, former_among(connection, [address.key]), address)
            if suppressed_in(session)(connection, [address.key]):
                raise RejectedError("the address is suppressed; nothing was changed")
            unsubscribes = session.settings.responses.unsubscribes
            give_address(connection, contact.id, address, run_id, unsubscribes, now)
        finish_one(connection, run_id, count_active(connection), now)
        after = read_standing(connection, contact.id)
    return Done(after or contact, run_id)


def find_merging(session: Session, into: str, gone: str) -> Merging:
    """Both contacts by email or number; RefusedError where they cannot be merged."""
    stays, goes = read_one(session, into), read_one(session, gone)
    if stays.id == goes.id:
        raise RefusedError(f"both are contact {stays.id}", code="same-contact")
    with session.store.reading() as connection:
        records = [get_record(connection, each.id) for each in (stays, goes)]
    found = [each for each in records if each is not None]
    if len(found) < 2:
        raise NotFoundError("one of the contacts has just been deleted")
    return Merging(stays, goes, *found)


def merge(session: Session, target: Merging, *, reason: str = "") -> Done:
    """Do it, in one transaction; RefusedError where one of them changed since it was shown."""
    into, gone, now = target.into, target.gone, session.clock()
    request = session.request(MergeRun(into.id, gone.id), reason=reason)
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        for each in (into, gone):
            _require_as_shown(each, read_standing(connection, each.id))
        run_id = insert_run(
            connection,
            request,
            state=RunState.RUNNING,
            identity=session.store.identity,
            now=now,
            values={"active_before": count_active(connection)},
        )
        merge_contact(connection, gone.id, into.id, run_id, now)
        finish_one(connection, run_id, count_active(connection), now)
        after = read_standing(connection, into.id)
    return Done(after or into, run_id)


def _require_as_shown(shown: ContactStanding, now: ContactStanding | None) -> None:
    if now != shown:
        raise RefusedError(
            f"contact {shown.id} has changed since it was shown; nothing was changed",
            hint="look at it again",
            code="changed-since-shown",
        )


def _require_free(contact: ContactStanding, holder: int | None) -> None:
    if holder is not None:
        raise RefusedError(
            f"contact {holder} has this address; nothing was changed",
            hint=f"`contactctl contacts merge {holder} {contact.id}` makes one contact of both",
            code="address-taken",
        )


def _require_not_former(
    contact: ContactStanding, former: dict[str, int], address: EmailAddress
) -> None:
    holder = former.get(address.key, contact.id)
    if holder != contact.id:
        raise RefusedError(
            f"contact {holder} had this address before; nothing was changed",
            hint=f"`contactctl contacts merge {holder} {contact.id}` makes one contact of both",
            code="former-address",
        )
