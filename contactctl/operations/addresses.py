"""Another address for one contact, and one contact merged into another; both shown before."""

from dataclasses import dataclass

from contactctl.domain.contacts import ContactRecord
from contactctl.domain.emails import EmailAddress
from contactctl.domain.errors import RefusedError, RejectedError
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.responses import Category
from contactctl.domain.upkeep_kinds import MergeRun, ReaddressRun
from contactctl.operations.contacts import address_of, ended_reasons
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.operations.upkeep import read_one
from contactctl.store.addresses import contact_of_former, id_of_key, spell_address
from contactctl.store.contacts import get_record
from contactctl.store.database.locks import taking_turn
from contactctl.store.deactivations import read_standing, require_as_shown
from contactctl.store.merge import give_address, merge_contact
from contactctl.store.responses import count_unmatched
from contactctl.store.runs import begin_one, finish_one


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
    address = address_of(new)
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
    ended = ended_reasons(target.ending)
    request = session.request(ReaddressRun(contact.id, ended), reason=reason)
    with taking_turn(session.store) as connection:
        require_as_shown(connection, contact)
        run_id = begin_one(connection, request, now, ended=len(ended))
        if target.is_same:
            spell_address(connection, contact.id, address.email, now)
        else:
            owner = id_of_key(connection, address.key)
            _refuse_owner(contact, owner, "has this address", "address-taken")
            former = contact_of_former(connection, address.key)
            _refuse_owner(contact, former, "had this address before", "former-address")
            if suppressed_in(session)(connection, [address.key]):
                raise RejectedError("the address is suppressed; nothing was changed")
            unsubscribes = session.settings.responses.unsubscribes
            give_address(connection, contact.id, address, run_id, unsubscribes, now)
        finish_one(connection, run_id, now)
        after = read_standing(connection, contact.id)
    return Done(after, run_id)


def find_merging(session: Session, into: str, gone: str) -> Merging:
    """Both contacts by email or number; RefusedError where they cannot be merged."""
    stays, goes = read_one(session, into), read_one(session, gone)
    if stays.id == goes.id:
        raise RefusedError(f"both are contact {stays.id}", code="same-contact")
    with session.store.reading() as connection:
        records = (get_record(connection, each.id) for each in (stays, goes))
        return Merging(stays, goes, *records)


def merge(session: Session, target: Merging, *, reason: str = "") -> Done:
    """Do it, in one transaction; RefusedError where one of them changed since it was shown."""
    into, gone, now = target.into, target.gone, session.clock()
    request = session.request(MergeRun(into.id, gone.id), reason=reason)
    with taking_turn(session.store) as connection:
        for each in (into, gone):
            require_as_shown(connection, each)
        run_id = begin_one(connection, request, now)
        merge_contact(connection, gone.id, into.id, run_id, now)
        finish_one(connection, run_id, now)
        after = read_standing(connection, into.id)
    return Done(after, run_id)


def _refuse_owner(contact: ContactStanding, owner: int | None, has_it: str, code: str) -> None:
    """RefusedError where the address is, or was, another contact's."""
    if owner not in (None, contact.id):
        raise RefusedError(
            f"contact {owner} {has_it}; nothing was changed",
            hint=f"`contactctl contacts merge {owner} {contact.id}` makes one contact of both",
            code=code,
        )
