"""The work of a run that erases: the store's, with the key that keeps addresses suppressed."""

from functools import partial

from contactctl.domain.runs import RunKind
from contactctl.operations.session import Session
from contactctl.operations.suppressions import keyring_for_writing
from contactctl.store.erasure import anonymise, clean_up, delete_contacts, erasure_outcome
from contactctl.store.runwork import BatchWork


def erasing_work(session: Session, kind: RunKind) -> BatchWork:
    """What an `anonymize` or `delete` run does to a batch; StoreError without the key."""
    hash_of = keyring_for_writing(session).current.hash_of
    change = anonymise if kind is RunKind.ANONYMIZE else delete_contacts
    return BatchWork(erasure_outcome, partial(change, hash_of=hash_of), clean_up)
