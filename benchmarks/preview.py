"""Preview of the prebuilt criteria, start-up excluded, beside a count and 30 rows by hand."""

from collections.abc import Sequence

import by_hand
from made_stores import MadeStores
from table import compare, seconds_of

from contactctl.operations.preview import preview
from contactctl.operations.select import CriteriaSource, select_contacts
from contactctl.store.store import open_store
from helpers.sessions import make_session

ROUNDS = 9
TARGET = 1.3


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        hand, ours = measure(stores.of(kind, contacts))
        compare("preview", kind, contacts, hand, ours, TARGET)


def measure(url: str) -> tuple[list[float], list[float]]:
    """Seconds by hand and by contactctl, in turn, after one of each that nobody counts."""
    store = open_store(url)
    session = make_session(store)

    def ours() -> int:
        return preview(session, select_contacts(session, CriteriaSource())).count

    with by_hand.connected(url) as connection:
        assert by_hand.preview(connection) == ours()
        pairs = [
            (seconds_of(lambda: by_hand.preview(connection)), seconds_of(ours))
            for _ in range(ROUNDS)
        ]
    store.close()
    return [hand for hand, _ in pairs], [own for _, own in pairs]
