"""What Postgres' planner must be told of tables just filled; SQLite needs none of it.

A server takes statistics some time after a change; until then it thinks of such tables as empty,
and reads them from end to end for each of many rows.
"""

from sqlalchemy import Connection, text

_NO_JOINS_OF_WHOLE_TABLES = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
)


def refresh_statistics(connection: Connection, table: str) -> None:
    """Have the table looked at now."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table}"))


def join_by_index(connection: Connection) -> None:
    """Until the transaction's end, look rows to be joined up one by one, by an index.

    For a batch beside a large table: 20,000 look-ups, where reading a million rows seems cheaper.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(_NO_JOINS_OF_WHOLE_TABLES))
