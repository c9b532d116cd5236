# ruff: noqa: S608 - statements of our own words alone
"""What contacts do with their mail: deliveries counted once each, opens and clicks.

`delivery` and `click` hold what was read. The contact's dates and counts follow from them, in
whatever order and portions it came. A click is a machine's when a mail was delivered to the contact
at most so many seconds before; a delivery that is read after the click takes it away again.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from contactctl.store import tables
from contactctl.store.contacts import keys_after
from contactctl.store.database.locks import taking_turn
from contactctl.store.database.store import Store
from contactctl.store.predicates import run_sql
from contactctl.store.runs import note_done
from contactctl.store.staged import SignKind, Staged
from contactctl.store.temporary import fill, temporary_tables

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = "timestamp with time zone"
_TABLES = {
    "sign": f"contact_id bigint, occurred_at {_INSTANT}, kind integer, source_hash bigint",
    # keys, as these are joined by index
    "new_delivery": f"contact_id bigint, occurred_at {_INSTANT}, source_hash bigint,"
    " domain text, is_since_engaged integer, PRIMARY KEY (contact_id, occurred_at, source_hash)",
    "latest_click": f"contact_id bigint PRIMARY KEY, clicked {_INSTANT}",
    "judged_click": f"contact_id bigint, occurred_at {_INSTANT}, is_human boolean,"
    " PRIMARY KEY (contact_id, occurred_at)",
}

# SQLite keeps to the order of a CROSS JOIN; of a JOIN it reads the large table from end to end

# one that nobody dates is older than whatever is dated
_FIND_NEW = f"""
    INSERT INTO new_delivery
    SELECT s.contact_id, s.occurred_at, s.source_hash, c.email_domain,
        CASE WHEN c.last_engaged IS NULL OR s.occurred_at > c.last_engaged THEN 1 ELSE 0 END
    FROM (
        SELECT DISTINCT contact_id, COALESCE(occurred_at, {{long_ago}}) AS occurred_at, source_hash
        FROM sign
        WHERE kind = {SignKind.DELIVERED}
            AND (occurred_at IS NULL OR occurred_at >= :kept_since)) s
    JOIN contact c ON c.id = s.contact_id
    WHERE NOT EXISTS (
        SELECT 1 FROM delivery d WHERE d.contact_id = c.id
            AND d.occurred_at = s.occurred_at AND d.source_hash = s.source_hash)"""
_KEEP_NEW = """
    INSERT INTO delivery (contact_id, occurred_at, source_hash)
    SELECT contact_id, occurred_at, source_hash FROM new_delivery ORDER BY 1, 2, 3"""
_COUNT_BY_HOUR = """
    INSERT INTO delivery_rate (hour, domain, deliveries)
    SELECT {hour}, d.domain, count(*)
    FROM new_delivery d
    WHERE d.occurred_at > {long_ago}
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hour, domain)
        DO UPDATE SET deliveries = delivery_rate.deliveries + excluded.deliveries"""

_UNMASK_CLICKS = """
    INSERT INTO judged_click
    SELECT DISTINCT k.contact_id, k.occurred_at, false
    FROM new_delivery d
    CROSS JOIN click k WHERE k.contact_id = d.contact_id
        AND k.occurred_at >= d.occurred_at AND k.occurred_at <= {within}"""
_FORGET_UNMASKED = """
    DELETE FROM click
    WHERE (contact_id, occurred_at) IN (SELECT contact_id, occurred_at FROM judged_click)"""
_DATE_CLICKS = f"""
    UPDATE sign SET occurred_at = :now
    WHERE kind = {SignKind.CLICKED} AND occurred_at IS NULL"""
_JUDGE_CLICKS = f"""
    INSERT INTO judged_click
    SELECT DISTINCT k.contact_id, k.occurred_at, false
    FROM sign k
    JOIN delivery d ON d.contact_id = k.contact_id
        AND d.occurred_at <= k.occurred_at AND {{within}} >= k.occurred_at
    WHERE k.kind = {SignKind.CLICKED}
    ON CONFLICT DO NOTHING"""
_OTHERS_ARE_HUMAN = f"""
    INSERT INTO judged_click
    SELECT DISTINCT contact_id, occurred_at, true FROM sign k
    WHERE kind = {SignKind.CLICKED} AND NOT EXISTS (
        SELECT 1 FROM judged_click j
        WHERE j.contact_id = k.contact_id AND j.occurred_at = k.occurred_at)"""
_KEEP_CLICKS = """
    INSERT INTO click (contact_id, occurred_at)
    SELECT DISTINCT contact_id, occurred_at FROM judged_click WHERE is_human
    ON CONFLICT DO NOTHING"""

_NOT_TO_COME = "CASE WHEN {0} > :now THEN :now ELSE {0} END"
# what is still to come, or has no time, happens now
_HAPPENED = "CASE WHEN occurred_at <= :now THEN occurred_at ELSE :now END"
_SEEN = f"""
    SELECT contact_id, sum(mails) AS mails, sum(since_engaged) AS since_engaged,
        max(CASE WHEN kind = {SignKind.DELIVERED} THEN at END) AS delivered,
        max(CASE WHEN kind = {SignKind.OPENED} THEN at END) AS opened,
        max(CASE WHEN kind = {SignKind.BY_MACHINE} THEN at END) AS machine_opened,
        max(at) AS latest
    FROM (
        SELECT contact_id, kind, {_HAPPENED} AS at, 0 AS mails, 0 AS since_engaged FROM sign
        UNION ALL SELECT contact_id, NULL, NULL, 1, is_since_engaged FROM new_delivery) AS told
    GROUP BY contact_id"""
_DATES = {
    "last_emailed": "delivered",
    "last_opened": "opened",
    "last_machine_opened": "machine_opened",
    "delivered_at": "latest",
}


def _later(date: str, seen: str) -> str:
    return (
        f"{date} = CASE WHEN {seen} <= contact.{date} THEN contact.{date}"
        f" ELSE COALESCE({seen}, contact.{date}) END"
    )


def _is_news(date: str, seen: str) -> str:
    return f"s.{seen} > contact.{date} OR (s.{seen} IS NOT NULL AND contact.{date} IS NULL)"


_MOVE_DATES = ", ".join(_later(date, f"s.{seen}") for date, seen in _DATES.items())
_IS_NEWS = " OR ".join(_is_news(date, seen) for date, seen in _DATES.items())
_UPDATE_CONTACTS = f"""
    UPDATE contact SET {_MOVE_DATES},
        mails_received = mails_received + s.mails,
        mails_since_engaged = mails_since_engaged + s.since_engaged,
        revision = revision + 1
    FROM ({_SEEN}) s WHERE contact.id = s.contact_id AND ({_IS_NEWS} OR s.mails > 0)"""
_SETTLE_CLICKS = f"""
    UPDATE contact SET last_clicked = s.clicked,
        {_later("last_machine_opened", "s.by_machine")},
        revision = revision + 1
    FROM (
        SELECT contact_id, {_NOT_TO_COME.format("by_machine")} AS by_machine,
            {_NOT_TO_COME.format("clicked")} AS clicked
        FROM (
            SELECT j.contact_id, max(CASE WHEN NOT j.is_human THEN j.occurred_at END) AS by_machine,
                max(l.clicked) AS clicked
            FROM judged_click j LEFT JOIN latest_click l ON l.contact_id = j.contact_id
            GROUP BY j.contact_id) AS latest) s
    WHERE contact.id = s.contact_id AND (contact.last_clicked {{differs_from}} s.clicked
        OR {_is_news("last_machine_opened", "by_machine")})"""
_FIND_LATEST_CLICKS = """
    INSERT INTO latest_click
    SELECT contact_id, max(occurred_at) FROM click
    WHERE contact_id IN (SELECT contact_id FROM judged_click) GROUP BY contact_id"""
# a mail that was accepted and came back later has not reached anybody
_CAME_BACK = """
    SELECT d.contact_id FROM new_delivery d
    CROSS JOIN response r WHERE r.contact_id = d.contact_id AND r.message = d.source_hash"""
_TAKE_BACK = """
    UPDATE contact SET delivered_at = NULLIF(s.at, {long_ago}), revision = revision + 1
    FROM (
        SELECT c.id, {latest}(
            COALESCE((SELECT max(CASE WHEN d.occurred_at > :now THEN :now ELSE d.occurred_at END)
                FROM delivery d WHERE d.contact_id = c.id AND NOT EXISTS (
                    SELECT 1 FROM response r
                    WHERE r.contact_id = d.contact_id AND r.message = d.source_hash)), {long_ago}),
            COALESCE(c.last_opened, {long_ago}), COALESCE(c.last_clicked, {long_ago}),
            COALESCE(c.last_machine_opened, {long_ago})) AS at
        FROM contact c WHERE c.id IN ({ids})) s
    WHERE contact.id = s.id AND s.at < contact.delivered_at"""
_MAILS_SINCE_ENGAGED = """COALESCE((SELECT sum(d.mails) FROM delivery d
    WHERE d.contact_id = {0}.id AND ({0}.last_engaged IS NULL OR d.occurred_at > {0}.last_engaged)
        AND d.source_hash <> -1), 0)"""
_COUNT_AGAIN = f"""
    UPDATE contact SET mails_since_engaged = {_MAILS_SINCE_ENGAGED.format("contact")}
    WHERE id IN ({{ids}})"""
_ENGAGED = f"""
    SELECT contact_id FROM sign WHERE kind = {SignKind.OPENED}
    UNION SELECT contact_id FROM judged_click"""


def record_activities(
    connection: sa.Connection, signs: Sequence[Staged], machine_click_seconds: int, now: datetime
) -> None:
    """Keep what is new of it, and bring the contacts' dates and counts up to date.

    A sign of life is (contact id, instant or None, SignKind, hash of the source key). Whoever calls
    is the only one who changes contacts, and has joined by index (store.database.planner).
    """
    kinds = {row[2] for row in signs}
    work = _Work(connection, machine_click_seconds, now)
    with temporary_tables(connection, _TABLES):
        fill(connection, "sign", signs)
        clicks = 0
        if SignKind.DELIVERED in kinds and work.do(_FIND_NEW):
            work.do(_KEEP_NEW)
            work.do(_COUNT_BY_HOUR)
            if work.do(_UNMASK_CLICKS):
                clicks += work.do(_FORGET_UNMASKED)
        if SignKind.CLICKED in kinds:
            work.do(_DATE_CLICKS)
            clicks += work.do(_JUDGE_CLICKS)
            clicks += work.do(_OTHERS_ARE_HUMAN)
            work.do(_KEEP_CLICKS)
        work.do(_UPDATE_CONTACTS)
        if clicks:
            work.do(_FIND_LATEST_CLICKS)
            work.do(_SETTLE_CLICKS)
        if clicks or SignKind.OPENED in kinds:
            work.do(_COUNT_AGAIN.format(ids=_ENGAGED))
        if SignKind.DELIVERED in kinds:
            take_back_deliveries(connection, _CAME_BACK, now)


def take_back_deliveries(connection: sa.Connection, ids: str, now: datetime) -> None:
    """Let what came back in the end not have been delivered, for the contacts that a query finds:
    `delivered_at` is that of the latest other delivery, open or click."""
    _Work(connection, 0, now).do(_TAKE_BACK, ids=ids)


# What an import gives


_GIVEN_CLICKS = """
    INSERT INTO click (contact_id, occurred_at)
    SELECT c.id, c.last_clicked FROM import_row s JOIN contact c ON c.id = s.contact_id
    WHERE c.last_clicked IS NOT NULL
    ON CONFLICT DO NOTHING"""
_GIVEN_MAILS = """
    INSERT INTO delivery (contact_id, occurred_at, source_hash, mails)
    SELECT given.id, {at}, {hash}, given.mails
    FROM (SELECT c.id, {mails} AS mails FROM contact c
        WHERE c.id IN (SELECT contact_id FROM import_row)) given
    WHERE given.mails <> 0
    ON CONFLICT (contact_id, occurred_at, source_hash)
        DO UPDATE SET mails = delivery.mails + excluded.mails"""
_ALL_MAILS = "COALESCE((SELECT sum(d.mails) FROM delivery d WHERE d.contact_id = {0}.id), 0)"
_COUNT_ALL_AGAIN = f"""
    UPDATE contact SET mails_received = {_ALL_MAILS.format("contact")} WHERE id IN ({{ids}})"""
_IMPORTED = "SELECT contact_id FROM import_row"
_SINCE, _RECEIVED = "mails_since_engaged", "mails_received"


def settle_imported(connection: sa.Connection, columns: Collection[str], now: datetime) -> None:
    """Let the rows of the import that works tell what its contacts' new values say.

    A given count is right as of now, whatever deliveries are known: a row that stands for the
    difference joins them, with the hash -1 where it says nothing of what came since an engagement.
    Where no count is given, dates that were may change it.
    """
    work = _Work(connection, 0, now)
    if "last_clicked" in columns:
        work.do(_GIVEN_CLICKS)
    if _SINCE in columns:
        missing = f"c.{_SINCE} - {_MAILS_SINCE_ENGAGED.format('c')}"
        work.do(_GIVEN_MAILS.format(at=":now", hash=0, mails=missing))
    elif {"last_opened", "last_clicked"} & set(columns):
        work.do(_COUNT_AGAIN.format(ids=_IMPORTED))
    if _RECEIVED in columns:
        missing = f"c.{_RECEIVED} - {_ALL_MAILS.format('c')}"
        work.do(_GIVEN_MAILS.format(at="{long_ago}", hash=-1, mails=missing))
    elif _SINCE in columns:
        work.do(_COUNT_ALL_AGAIN.format(ids=_IMPORTED))


def count_mails(connection: sa.Connection, contact_id: int, now: datetime) -> None:
    """Count the mails of one contact again, which others have joined."""
    work = _Work(connection, 0, now)
    for statement in (_COUNT_AGAIN, _COUNT_ALL_AGAIN):
        work.do(statement.format(ids=int(contact_id)))


# Deliveries that are old: how many there were is kept, and no longer each of them


_FORGETTING = "forget deliveries"  # the routine; its time is that before which none is kept
_HOW_OFTEN = timedelta(days=1)
_CONTACTS_AT_ONCE = 20_000
_OLD_TABLES = {
    "with_old": "contact_id bigint PRIMARY KEY",
    "old_deliveries": f"contact_id bigint, occurred_at {_INSTANT}, mails bigint",
}


def _is_old(row: str) -> str:
    # the stretch of ids once more: where it is dense, Postgres reads all deliveries for those of a
    # list
    return f"""{row}.contact_id > {{after}} AND {row}.contact_id <= {{last}}
    AND {row}.occurred_at < :kept_since AND {row}.occurred_at > {{long_ago}}
    AND {row}.source_hash <> -1 AND {row}.contact_id IN (SELECT contact_id FROM with_old)"""


# who has single ones among them; one that stands for several has the hash 0
_FIND_WITH_OLD = """
    INSERT INTO with_old
    SELECT DISTINCT contact_id FROM delivery
    WHERE contact_id > {after} AND contact_id <= {last} AND occurred_at < :kept_since
        AND occurred_at > {long_ago} AND source_hash <> -1 AND source_hash <> 0"""
# what came before and what since it was last engaged for sure: a later click may yet turn out to be
# a machine's
_ADD_UP_OLD = f"""
    INSERT INTO old_deliveries
    SELECT d.contact_id, max(d.occurred_at), sum(d.mails)
    FROM delivery d JOIN contact c ON c.id = d.contact_id
    LEFT JOIN (
        SELECT contact_id, max(occurred_at) AS at FROM click
        WHERE contact_id > {{after}} AND contact_id <= {{last}} AND occurred_at < :kept_since
        GROUP BY contact_id) k ON k.contact_id = d.contact_id
    WHERE {_is_old("d")} AND c.id > {{after}} AND c.id <= {{last}}
    GROUP BY d.contact_id, d.occurred_at <=
        {{latest}}(COALESCE(c.last_opened, {{long_ago}}), COALESCE(k.at, {{long_ago}}))"""
_FORGET_OLD = f"DELETE FROM delivery WHERE {_is_old('delivery')}"
_KEEP_SUMS = """
    INSERT INTO delivery (contact_id, occurred_at, source_hash, mails)
    SELECT contact_id, occurred_at, 0, mails FROM old_deliveries ORDER BY contact_id, occurred_at"""
_FORGET_CLICKS = """
    DELETE FROM click WHERE contact_id > {after} AND contact_id <= {last}
        AND occurred_at < :kept_since AND EXISTS (SELECT 1 FROM click later
            WHERE later.contact_id = click.contact_id AND later.occurred_at > click.occurred_at
                AND later.occurred_at < :kept_since)"""


def forget_deliveries(store: Store, until: datetime) -> None:
    """Keep of deliveries before an instant how many each contact got, before and since it was last
    engaged; of clicks before it the last one. At most once a day, since all deliveries are looked
    at.

    A delivery of that time that is read later, or once more, is not counted: nobody can tell which.
    """
    with store.writing() as connection:
        if until - _kept_since(connection) < _HOW_OFTEN:
            return
        note_done(connection, _FORGETTING, until)
    after = 0
    while True:
        with taking_turn(store) as connection:
            ids = keys_after(connection, after, _CONTACTS_AT_ONCE)
            if not ids:
                return
            work = _Work(connection, 0, until)
            with temporary_tables(connection, _OLD_TABLES):
                some = {"after": after, "last": ids[-1][0]}
                work.do(_FIND_WITH_OLD, **some)
                for statement in (_ADD_UP_OLD, _FORGET_OLD, _KEEP_SUMS, _FORGET_CLICKS):
                    work.do(statement, **some)
            after = ids[-1][0]


def _kept_since(connection: sa.Connection) -> datetime:
    """Of deliveries before this, single ones are not kept any more."""
    statement = sa.select(tables.routine.c.done_at).where(tables.routine.c.work == _FORGETTING)
    found: datetime | None = connection.execute(statement).scalar()
    return found or _BEGINNING


class _Work:
    """Statements in the words of the database, with the instant that is now."""

    def __init__(
        self, connection: sa.Connection, machine_click_seconds: int, now: datetime
    ) -> None:
        self._connection = connection
        self._now = now
        self._kept_since = _kept_since(connection)
        is_sqlite = connection.dialect.name == "sqlite"
        seconds = machine_click_seconds
        if is_sqlite:
            # to the second, as SQLite rounds parts of one; these stay as they are
            shifted = "strftime('%Y-%m-%d %H:%M:%S', substr(d.occurred_at, 1, 19), '+{0} seconds')"
            within = f"{shifted.format(seconds)} || substr(d.occurred_at, 20)"
        else:
            within = f"d.occurred_at + make_interval(secs => {seconds})"
        self._words = {
            "within": within if seconds else "NULL",
            "hour": "substr(d.occurred_at, 1, 13) || ':00:00.000000'"
            if is_sqlite
            else "date_trunc('hour', d.occurred_at, 'UTC')",
            "differs_from": "IS NOT" if is_sqlite else "IS DISTINCT FROM",
            "latest": "max" if is_sqlite else "GREATEST",
            "long_ago": "'1970-01-01 00:00:00.000000'"
            if is_sqlite
            else "TIMESTAMPTZ '1970-01-01 00:00:00+00'",
        }

    def do(self, statement: str, **words: object) -> int:
        """Run it, with further words in it; returns how many rows it concerned."""
        filled = statement.format(**self._words, **words).replace("%H:%M:%S", r"%H\:%M\:%S")
        instants = {"now": self._now, "kept_since": self._kept_since}
        return run_sql(self._connection, filled, **instants).rowcount
