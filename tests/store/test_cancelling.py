"""What a store is busy with ends when another thread says so, and the next question is answered."""

from threading import Thread

import pytest
from sqlalchemy import Connection, text

from contactctl.domain.errors import ContactctlError
from contactctl.store.database.store import QueryCanceller, Store

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(3600)",
}


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def test_an_endless_query_is_ended_and_the_next_is_answered(store: Store) -> None:
    canceller = QueryCanceller(store)

    def cancel_until_it_is_over() -> None:
        while asking:
            canceller.cancel()

    for _ in range(3):
        asking = True
        other = Thread(target=cancel_until_it_is_over)
        with pytest.raises(ContactctlError), store.reading() as connection:
            other.start()
            connection.execute(text(ENDLESS[store.dialect]))
        asking = False
        other.join()

        with store.reading() as connection:
            assert one(connection) == 1


def test_between_two_statements_the_second_is_not_sent(store: Store) -> None:
    canceller = QueryCanceller(store)

    with pytest.raises(ContactctlError, match="cancelled"), store.reading() as connection:
        assert one(connection) == 1
        canceller.cancel()
        one(connection)

    with store.reading() as connection:
        assert one(connection) == 1


def test_nothing_to_cancel_is_no_harm(store: Store) -> None:
    QueryCanceller(store).cancel()

    with store.reading() as connection:
        assert one(connection) == 1
