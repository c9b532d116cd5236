"""One contact with everything that is stored about it."""

from contactctl.domain.contact_record import ContactRecord
from contactctl.domain.errors import NotFoundError
from contactctl.operations.find import contact_id_of
from contactctl.operations.session import Session
from contactctl.store.contacts import get_record


def show_contact(session: Session, name: str) -> ContactRecord:
    """The contact with that email or number; NotFoundError where there is none."""
    contact_id = contact_id_of(session, name)
    with session.store.reading() as connection:
        record = get_record(connection, contact_id)
    if record is None:
        raise NotFoundError(f"contact {contact_id} has just been deleted")
    return record
