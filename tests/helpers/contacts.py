"""Made-up contacts, written by the database itself: a thousand or a million, the same every time.

Contact number n (ids count from 1 in an empty store) depends on n alone:

- `first.last.n@mailK.example.com`; names repeat, some with accents;
- 15 % have no last_opportunity, the others had one up to four years before TODAY, so that the
  prebuilt criteria select about 43 %;
- attributes `plan` (free, trial, pro) and `orders` (0 to 39), one in ten without any;
- groups newsletter (every second), customers (every third), partners (every tenth); tag vip
  (every fiftieth).
"""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, insert, inspect, text

from contactctl.domain.text import fold
from contactctl.store import tables
from contactctl.store.database.store import Store

TODAY = date(2026, 6, 15)
CREATED = datetime(2022, 1, 1, tzinfo=UTC)
GROUPS = {"newsletter": 2, "customers": 3, "partners": 10}  # name -> every how many-th contact

_FIRST_NAMES = ("Anna", "Bo", "Chloé", "David", "Émile", "Fatima", "Grace")
_LAST_NAMES = ("Andersen", "Brown", "Çelik", "Dubois", "Ekström", "Fischer", "García", "Haddad")
_PLANS = ("free", "trial", "Pro")
_OPPORTUNITY_SPREAD_DAYS = 1485


def seed_contacts(store: Store, count: int, *, after: int = 0) -> None:
    """Add the contacts numbered `after` + 1 to `after` + `count`, with groups and tags."""
    numbers = {"first": after + 1, "last": after + count}
    with store.writing() as connection:
        group_ids = _ensure_groups(connection)
        connection.execute(
            text(_contacts_sql(store.dialect)),
            numbers | {"today": _today(store), "created": _created(store)},
        )
        own_addresses(connection)
        for name, every in GROUPS.items():
            connection.execute(
                text(
                    "INSERT INTO membership (contact_id, group_id, state, added)"
                    " SELECT id, :group_id, 'follows', :created FROM contact"
                    " WHERE id BETWEEN :first AND :last AND id % :every = 0"
                ),
                numbers | {"group_id": group_ids[name], "created": _created(store), "every": every},
            )
        connection.execute(
            text(
                "INSERT INTO contact_tag (contact_id, tag_folded, tag) SELECT id, 'vip', 'VIP'"
                " FROM contact WHERE id BETWEEN :first AND :last AND id % 50 = 0"
            ),
            numbers,
        )
    if store.dialect == "postgresql":
        _skip_used_ids(store)


def add_contact(connection: Connection, email: str, **values: Any) -> int:
    """One more active contact, without anything but an address and `values`; returns its id."""
    row = {
        "email": email,
        "email_key": email.lower(),
        "email_domain": email.lower().rpartition("@")[2],
        "created": CREATED,
        "updated": CREATED,
    }
    statement = insert(tables.contact).values(row | values).returning(tables.contact.c.id)
    contact_id = int(connection.execute(statement).scalar_one())
    own_addresses(connection)
    return contact_id


def own_addresses(connection: Connection) -> None:
    """Let contacts that were written as rows have their addresses."""
    if not inspect(connection).has_table("contact_email"):
        return  # a store of an older version
    connection.execute(
        text(
            "INSERT INTO contact_email (email_key, contact_id) SELECT email_key, id FROM contact c"
            " WHERE email_key LIKE '%@%' AND id NOT IN (SELECT contact_id FROM contact_email)"
        )
    )


def _ensure_groups(connection: Connection) -> dict[str, int]:
    found = {row[0]: row[1] for row in connection.execute(text('SELECT name, id FROM "group"'))}
    for name in GROUPS:
        if name not in found:
            row = {"name": name, "name_folded": fold(name), "created": CREATED, "settings": {}}
            statement = insert(tables.group).values(row).returning(tables.group.c.id)
            found[name] = int(connection.execute(statement).scalar_one())
    return found


def _contacts_sql(dialect: str) -> str:
    first, last = _one_of("n", _FIRST_NAMES), _one_of("n / 7", _LAST_NAMES)
    days_ago = f"(n * 7919) % {_OPPORTUNITY_SPREAD_DAYS}"
    if dialect == "sqlite":
        opportunity, json = f"date(:today, '-' || ({days_ago}) || ' days')", "text"
    else:
        opportunity, json = f"CAST(:today AS date) - CAST({days_ago} AS integer)", "jsonb"
    plan, plan_folded = _one_of("n", _PLANS), _one_of("n", _folded(_PLANS))
    return f"""
        WITH RECURSIVE numbers(n) AS (
            SELECT CAST(:first AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last
        )
        INSERT INTO contact (id, email, email_key, email_domain, first_name, first_name_folded,
            last_name, last_name_folded, company, company_folded, last_opportunity, created,
            updated, attributes, attributes_folded)
        SELECT n, address, address, 'mail' || (n % 97) || '.example.com',
            first, {_one_of("n", _folded(_FIRST_NAMES))},
            last, {_one_of("n / 7", _folded(_LAST_NAMES))},
            'Company ' || (n % 20000), 'company ' || (n % 20000),
            CASE WHEN n % 20 NOT IN (3, 9, 14) THEN {opportunity} END,
            :created, :created,
            CAST(CASE WHEN n % 10 = 5 THEN '{{}}'
                 ELSE '{{"plan"\\: "' || {plan} || '", "orders"\\: ' || (n % 40) || '}}'
                 END AS {json}),
            CAST(CASE WHEN n % 10 = 5 THEN '{{}}'
                 ELSE '{{"plan"\\: "' || {plan_folded} || '"}}' END AS {json})
        FROM (
            SELECT n, {first} AS first, {last} AS last,
                {_one_of("n", _ascii(_FIRST_NAMES))} || '.'
                    || {_one_of("n / 7", _ascii(_LAST_NAMES))}
                    || '.' || n || '@mail' || (n % 97) || '.example.com' AS address
            FROM numbers
        ) AS made
    """


def _one_of(number: str, values: Sequence[str]) -> str:
    """SQL that takes the values in turn."""
    cases = " ".join(f"WHEN {index} THEN '{value}'" for index, value in enumerate(values))
    return f"CASE ({number}) % {len(values)} {cases} END"


def _folded(names: Sequence[str]) -> list[str]:
    return [fold(name) for name in names]


def _ascii(names: Sequence[str]) -> list[str]:
    decomposed = (unicodedata.normalize("NFD", fold(name)) for name in names)
    return [name.encode("ascii", "ignore").decode() for name in decomposed]


def _today(store: Store) -> date | str:
    return TODAY.isoformat() if store.dialect == "sqlite" else TODAY


def _created(store: Store) -> datetime | str:
    """As the store keeps instants: SQLite without a zone."""
    return (
        CREATED.replace(tzinfo=None).isoformat(" ") + ".000000"
        if store.dialect == "sqlite"
        else CREATED
    )


def _skip_used_ids(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence('contact', 'id'), max(id)) FROM contact")
        )
