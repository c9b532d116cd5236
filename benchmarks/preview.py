"""Preview of the prebuilt criteria, start-up excluded, beside SQL by hand.

Once beside a count and 30 rows alone, and once beside the same answers: a preview shows the active
total and who was left out as well, and counting the active contacts is the larger part of its time.
"""

from collections.abc import Sequence

import by_hand
from made_stores import MadeStores
from table import compare, seconds_of

from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.store.database.store import open_store
from helpers.sessions import make_session

ROUNDS = 9
TARGET = 1.3


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        rows, in_full, ours = zip(*measure(stores.of(kind, contacts)), strict=True)
        compare("preview / count and 30 rows", kind, contacts, rows, ours, TARGET)
        compare("preview / the same answers", kind, contacts, in_full, ours, TARGET)


def measure(url: str) -> list[tuple[float, float, float]]:
    """Seconds by hand, by hand in full and by contactctl, in turn, after one round uncounted."""
    store = open_store(url)
    session = make_session(store)

    def ours() -> int:
        return preview(session, select_contacts(session, CriteriaSource())).count

    with by_hand.connected(url) as connection:
        assert by_hand.preview_in_full(connection) == ours()
        rounds = [
            (
                seconds_of(lambda: by_hand.preview(connection)),
                seconds_of(lambda: by_hand.preview_in_full(connection)),
                seconds_of(ours),
            )
            for _ in range(ROUNDS)
        ]
    store.close()
    return rounds
