"""The work of a run that erases: the store's, with the key that keeps addresses suppressed."""

from functools import partial

from contactctl.domain.runs import RunKind
from contactctl.operations.session import Session
from contactctl.operations.suppressions import key_for_hashing
from contactctl.store.erasure import anonymise, clean_up, delete_contacts, erasure_outcome
from contactctl.store.runwork import BatchWork


def erasing_work(session: Session, kind: RunKind) -> BatchWork:
    """What an `anonymize` or `delete` run does to a batch; StoreError without the key."""
    change = anonymise if kind is RunKind.ANONYMIZE else delete_contacts
    current_key = partial(key_for_hashing, session)
    return BatchWork(erasure_outcome, partial(change, current_key=current_key), clean_up)
