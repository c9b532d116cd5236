"""Another address for a contact: its past stays, and what was only about the old one ends."""

from datetime import datetime

from sqlalchemy import Connection, delete

from contactctl.domain.changes import ChangeKind
from contactctl.domain.emails import EmailAddress
from contactctl.domain.policies import OnUnsubscribe
from contactctl.domain.responses import UNSUBSCRIBED, Category
from contactctl.store import tables
from contactctl.store.addresses import keep_address, set_address, stop_counting
from contactctl.store.changes import note_change
from contactctl.store.merge import end_about_address, settle
from contactctl.store.responses import adopt_unmatched
from contactctl.store.unsubscribes import obey

_pushed = tables.pushed_suppression
_WISHED = (
    "SELECT contact_id, source_key FROM response"  # noqa: S608 (our own words and a number)
    f" WHERE contact_id = {{contact}} AND category = '{UNSUBSCRIBED}'"
)


def give_address(
    connection: Connection,
    contact_id: int,
    address: EmailAddress,
    run_id: int,
    on_unsubscribe: OnUnsubscribe,
    now: datetime,
) -> None:
    """Give the contact an address that no other has, with what waits for one that has it."""
    change = note_change(connection, run_id, ChangeKind.READDRESSED, contact_id, now)
    keep_address(connection, contact_id, change, run_id, now)
    set_address(connection, contact_id, address, now)
    stop_counting(connection, contact_id)
    # no provider was told of the new one
    connection.execute(delete(_pushed).where(_pushed.c.contact_id == contact_id))
    end_about_address(connection, contact_id, [Category.INVALID_ADDRESS.value], run_id, now)
    settle(connection, contact_id, run_id, now)
    if adopt_unmatched(connection, [address.key]):
        obey(connection, _WISHED.format(contact=contact_id), on_unsubscribe, now)
