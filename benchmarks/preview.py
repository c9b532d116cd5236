"""Preview of the prebuilt criteria, start-up excluded, beside SQL by hand.

Once beside a count and 30 rows alone, and once beside the same answers: a preview shows the active
total and who was left out as well, and counting the active contacts is the larger part of its time.
Then criteria that look into other tables and into attributes, in seconds; on stderr what count and
30 rows of them take by hand.
"""

import statistics
import sys
from collections.abc import Sequence
from functools import partial

import by_hand
from made_stores import MadeStores
from table import compare, limit, seconds_of

from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.store.database.store import open_store
from helpers.sessions import make_session

ROUNDS = 9
ROUNDS_OF_CRITERIA = 3
TARGET = 1.3
TARGET_S = 0.5
_OLD = "last_opportunity older-than 24 months"
_CRITERIA = {
    "preview, nested": CriteriaSource(
        where=[_OLD],
        where_any=["group = newsletter", "attributes.plan in free,trial"],
        where_not=["attributes.vip = true"],
    ),
    "preview, tag or date": CriteriaSource(where_any=["tag = vip", _OLD]),
    "preview, responses >= 2": CriteriaSource(where=["responses.transient >= 2"]),
}
# every fifth contact has a response, every tenth two
_RESPONSES = """
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, status, diagnostic,
        rule, recipient, channel, occurred_at, recorded_at, source, run_id, group_id)
    SELECT id, 'key' || n, 'transient', true, '', '4.2.2', 'mailbox full', 'status', email, 'email',
        '2026-06-01 12:00:00.000000', '2026-06-01 12:00:00.000000', 'made', 1, 0
    FROM contact, (SELECT 1 AS n UNION ALL SELECT 2) AS numbers WHERE id % (5 * n) = 0"""


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        rows, in_full, ours = zip(*measure(stores.of(kind, contacts)), strict=True)
        compare("preview / count and 30 rows", kind, contacts, rows, ours, TARGET)
        compare("preview / the same answers", kind, contacts, in_full, ours, TARGET)
        for what, seconds in measure_criteria(stores, kind, contacts).items():
            limit(what, kind, contacts, seconds, "s", TARGET_S)


def measure_criteria(stores: MadeStores, kind: str, contacts: int) -> dict[str, float]:
    """Seconds of each preview, the median of some rounds."""
    with stores.copy(kind, contacts) as url:
        with by_hand.connected(url) as connection:
            connection.execute(_RESPONSES)
            if kind == "postgres":
                connection.execute("VACUUM (ANALYZE) response")
            for what, condition in by_hand.criteria(kind).items():
                seconds = seconds_of(partial(by_hand.preview_of, connection, condition))
                print(f"{what}, {kind}, by hand: {seconds:.2f} s", file=sys.stderr)
        store = open_store(url)
        session = make_session(store)
        medians = {
            what: statistics.median(
                seconds_of(lambda source=source: preview(session, select_contacts(session, source)))
                for _ in range(ROUNDS_OF_CRITERIA)
            )
            for what, source in _CRITERIA.items()
        }
        store.close()
    return medians


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
