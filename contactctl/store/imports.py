"""Imported rows: loaded into temporary tables, then put into the contacts as sets."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Status
from contactctl.domain.sums import Summed
from contactctl.store import imported_status
from contactctl.store.addresses import claim_staged, numbered
from contactctl.store.changes import note_batch, note_rows
from contactctl.store.database.store import Store
from contactctl.store.engagement import settle_imported
from contactctl.store.external_ids import MOVED_COLUMNS, MOVED_TABLE, link
from contactctl.store.fields import ADDRESS_COLUMNS, FOLDED_COLUMNS, JSON_COLUMNS
from contactctl.store.predicates import run_sql
from contactctl.store.responses import adopt_unmatched
from contactctl.store.staged import Staged
from contactctl.store.tables import contact
from contactctl.store.temporary import fill, join_by_index, refresh_statistics, temporary_tables
from contactctl.store.unsubscribes import obey

_TOLD_OF_NEW = """
    SELECT r.contact_id, r.source_key FROM import_row s
    JOIN response r ON r.contact_id = s.contact_id
    WHERE s.contact_id > {last_id}"""


_OF_NEW, _OF_KNOWN = "s.contact_id > :last_id", "s.contact_id <= :last_id"
_KEY = 2  # where a staged row has its email key

OpenTransaction = Callable[[], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns the rows of one import have, in the order in which a staged row holds them.

    A staged row is (position, email, email_key, email_domain, value or value and folded value of
    each of `columns`, then attributes and attributes_folded as JSON text if `has_attributes`,
    then a bit mask of the columns to be made missing if `clears`: bit n for `columns[n]`, then the
    instant when the contact was created, wherever it was, if `has_created`).
    None means not given. Within one wave no two rows have the same key.
    """

    columns: tuple[str, ...] = ()
    has_attributes: bool = False
    clears: bool = False
    has_created: bool = False

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """Names of the contact's columns that are written, besides the address and the JSON."""
        return tuple(part for name in self.columns for part in _with_folded(name))

    @property
    def staged_columns(self) -> tuple[str, ...]:
        """Names of the temporary table's columns."""
        json_columns = JSON_COLUMNS if self.has_attributes else ()
        last = ("cleared",) * self.clears + ("created",) * self.has_created
        return ("position", *ADDRESS_COLUMNS, *self.stored_columns, *json_columns, *last)


@dataclass(frozen=True, slots=True)
class Wave:
    """Rows that are put in together. `tags` are (position, folded, tag), `members` are
    (position, group id, membership state), `inactive` are (position, category, since); none twice.

    Rows of a source have `external_ids` (email key, id), of which the store has those `linked`
    (id, contact); `moved` are (position,) of those whose contact has just been given their address.
    `active` are the email keys of rows that say that the contact is active.
    """

    rows: Sequence[Staged]
    tags: Sequence[Staged] = ()
    members: Sequence[Staged] = ()
    inactive: Sequence[Staged] = ()
    external_ids: Sequence[tuple[str, str]] = ()
    linked: set[tuple[str, int]] = field(default_factory=set)
    moved: Sequence[Staged] = ()
    active: Sequence[str] = ()

    @property
    def tells_status(self) -> bool:
        return bool(self.inactive) or any(
            state != MembershipState.FOLLOWS for _, _, state in self.members
        )


@dataclass(frozen=True, slots=True)
class Counts(Summed):
    """What became of rows that were put in.

    `created_inactive` of those created became inactive; `left_active` were there before and are
    active, although their row says inactive (the first at the positions `active_at`), and
    `left_inactive` the other way round. `created_unsubscribed` had unsubscribed before, and so
    became inactive at once. `kept_out` counts memberships not given to people who had left a group,
    `joined_inactive` the contacts in a group of the file that were there before and are inactive.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    created_inactive: int = 0
    left_active: int = 0
    left_inactive: int = 0
    created_unsubscribed: int = 0
    kept_out: int = 0
    joined_inactive: int = 0
    active_at: tuple[int, ...] = ()


def _with_folded(name: str) -> tuple[str, ...]:
    return (name, f"{name}_folded") if name in FOLDED_COLUMNS else (name,)


@contextmanager
def transactions(store: Store, *, rehearse: bool) -> Iterator[OpenTransaction]:
    """What opens the transaction of each batch: one of its own, committed at its end.

    A rehearsal does all the work in a single transaction, which is rolled back: later batches
    see what earlier ones would have done, and nothing stays.
    """
    if not rehearse:
        yield store.writing
        return
    with store.writing() as connection:
        yield lambda: nullcontext(connection)
        connection.rollback()


def put_in(
    connection: sa.Connection,
    layout: Layout,
    wave: Wave,
    now: datetime,
    creating: imported_status.Creating,
    begin_run: Callable[[int], int] | None = None,
    source: str = "",
) -> Counts:
    """Create the contacts that are new, update those that differ, add tags and memberships.

    `begin_run` writes the run's row where that names the one contact that is created; it gets the
    contact's id, and returns the run's number.

    Contacts that this run creates may be inactive; the status of others is never touched.
    A given value replaces a stored one; attributes are merged. `revision` and `updated` change only
    where something did. The contacts are linked to the ids that the `source` gives them.
    """
    join_by_index(connection)
    last_id = imported_status.last_contact_id(connection)
    ids = numbered(connection, [row[_KEY] for row in wave.rows])
    contacts = {each: ids[key] for key, each in wave.external_ids}
    by_position = {row[0]: ids[row[_KEY]] for row in wave.rows} if wave.members else {}
    joining = replace(
        wave,
        members=imported_status.who_has_not_left(connection, wave.members, by_position, creating),
    )
    statements = _Statements(layout, wave, connection.dialect.name)
    with _staged(connection, layout, joining, ids, contacts):
        created_inactive, unsubscribed, left_active = 0, 0, list[int]()
        if wave.tells_status:
            left_active = imported_status.leave_known_as_they_are(connection, creating)
        claim_staged(connection, "import_row", last_id)
        created = run_sql(connection, statements.insert(), last_id=last_id, now=now).rowcount
        newest = imported_status.last_contact_id(connection)
        run_id = begin_run(newest) if begin_run else creating.run_id
        touched = _add_tags(connection, statements, last_id) if wave.tags else set()
        if joining.members:
            touched |= _add_members(connection, statements, run_id, last_id, now)
        values = {"last_id": last_id, "now": now, **statements.values_of(touched)}
        updated = run_sql(connection, statements.update(touched), **values).rowcount
        settle_imported(connection, layout.columns, now)
        # nobody else creates contacts meanwhile: those above `last_id` are the wave's
        tell = partial(note_batch, connection, run_id, first=last_id + 1, last=newest, now=now)
        if created:
            tell(ChangeKind.ADDED)
        if created and wave.members:
            tell(ChangeKind.JOINED)
        if wave.tells_status:
            created_inactive = imported_status.deactivate_created(connection, creating, now)
        if created and wave.tells_status:
            tell(ChangeKind.DEACTIVATED)
        if contacts:
            link(connection, source, run_id, contacts, wave.linked)
        if adopt_unmatched(connection, [key for key, id_ in ids.items() if id_ > last_id]):
            told = _TOLD_OF_NEW.format(last_id=creating.last_id)
            unsubscribed = obey(connection, told, creating.on_unsubscribe, now).contacts
    return Counts(
        created,
        updated,
        unchanged=len(wave.rows) - created - updated,
        created_inactive=created_inactive,
        left_active=len(left_active),
        left_inactive=imported_status.inactive_among(
            connection, [ids[key] for key in wave.active if ids[key] <= last_id]
        ),
        created_unsubscribed=unsubscribed,
        kept_out=len(wave.members) - len(joining.members),
        joined_inactive=imported_status.inactive_members(
            connection, joining.members, by_position, last_id
        ),
        active_at=tuple(left_active[:5]),
    )


@contextmanager
def _staged(
    connection: sa.Connection,
    layout: Layout,
    wave: Wave,
    ids: Mapping[str, int],
    contacts: Mapping[str, int],
) -> Iterator[None]:
    """The wave in temporary tables: those that have rows, or that are asked all the same."""
    loaded = {
        "import_row": _rows_of_contacts(wave, ids, contacts),
        "import_tag": wave.tags,
        "import_member": wave.members,
        imported_status.INACTIVE_TABLE: wave.inactive,
        MOVED_TABLE: wave.moved,
    }
    asked = ["import_row"]
    if wave.tells_status:
        asked += ["import_member", imported_status.INACTIVE_TABLE]
    definitions = _definitions(layout, connection.dialect, bool(contacts))
    needed = {
        name: definition
        for name, definition in definitions.items()
        if loaded[name] or name in asked
    }
    with temporary_tables(connection, needed):
        for name, rows in loaded.items():
            if rows:
                fill(connection, name, rows)
                joined_by = ("contact_id", "position") if name == "import_row" else ("position",)
                refresh_statistics(connection, name, *joined_by)
        yield


def _rows_of_contacts(
    wave: Wave, ids: Mapping[str, int], contacts: Mapping[str, int]
) -> list[Staged]:
    """The rows behind their contact; of a source, before the id that it gives that contact."""
    if not contacts:
        return [(ids[row[_KEY]], *row) for row in wave.rows]
    return [
        (ids[key], *row, external_id if contacts[external_id] == ids[key] else None)
        for row, (key, external_id) in zip(wave.rows, wave.external_ids, strict=True)
    ]


def _add_tags(connection: sa.Connection, statements: "_Statements", last_id: int) -> set[int]:
    """Tag the contacts; returns those from before the wave that have one more now."""
    run_sql(connection, statements.insert_tags(_OF_NEW), last_id=last_id)
    of_known = f"{statements.insert_tags(_OF_KNOWN)} RETURNING contact_id"
    return set(run_sql(connection, of_known, last_id=last_id).scalars())


def _add_members(
    connection: sa.Connection, statements: "_Statements", run_id: int, last_id: int, now: datetime
) -> set[int]:
    """Let the contacts join, and tell of those from before the wave, which are returned.

    Who is deactivated in the group still, having left it, comes back as that.
    """
    run_sql(connection, statements.insert_members(_OF_NEW), last_id=last_id, now=now)
    of_known = f"{statements.insert_members(_OF_KNOWN)} RETURNING contact_id, group_id, state"
    found = run_sql(connection, of_known, last_id=last_id, now=now).mappings()
    joined = {(row["contact_id"], row["group_id"]): dict(row) for row in found}
    contact_ids = {contact_id for contact_id, _ in joined}
    for key in imported_status.deactivate_rejoined(connection, contact_ids, now):
        if key in joined:
            joined[key]["state"] = MembershipState.INACTIVE.value
    rows = [joined[key] for key in sorted(joined)]
    note_rows(connection, run_id, ChangeKind.JOINED, rows, now)
    return contact_ids


class _Statements:
    """The SQL of one wave; made of our own column names alone, so nothing in it needs quoting."""

    def __init__(self, layout: Layout, wave: Wave, dialect: str) -> None:
        self.layout = layout
        self.wave = wave
        self.is_sqlite = dialect == "sqlite"

    def update(self, touched: Collection[int]) -> str:
        """Of known contacts that something is different of; `touched` are those anyway."""
        assignments = {name: self._new_value(name) for name in self.layout.stored_columns}
        if self.layout.has_attributes:
            assignments |= {name: self._merged(name) for name in JSON_COLUMNS}
        changes = "".join(f"{name} = {value}, " for name, value in assignments.items())
        return (
            f"UPDATE contact SET {changes}revision = revision + 1, updated = :now"
            " FROM import_row s"
            " WHERE contact.id = s.contact_id AND s.contact_id <= :last_id"
            f" AND ({self._something_differs(touched)})"
        )

    def values_of(self, touched: Collection[int]) -> dict[str, str | list[int]]:
        """What `update` has in place of a name."""
        if not touched:
            return {}
        ids = sorted(touched)
        return {"touched": json.dumps(ids) if self.is_sqlite else ids}

    def insert(self) -> str:
        targets = (*ADDRESS_COLUMNS, *self.layout.stored_columns)
        columns = ", ".join(targets)
        values = ", ".join(
            f"s.{name}"
            if contact.c[name].nullable or name in ADDRESS_COLUMNS
            else f"COALESCE(s.{name}, 0)"
            for name in targets
        )
        attributes, folded = (
            map(self._without_nulls, JSON_COLUMNS) if self.layout.has_attributes else ("'{}'",) * 2
        )
        created = "COALESCE(s.created, :now)" if self.layout.has_created else ":now"
        return (
            f"INSERT INTO contact (id, {columns}, status, created, updated, revision,"
            " attributes, attributes_folded)"
            f" SELECT s.contact_id, {values}, '{Status.ACTIVE}', {created}, :now, 0,"
            f" {attributes}, {folded}"
            " FROM import_row s WHERE s.contact_id > :last_id ORDER BY s.contact_id"
        )

    def insert_tags(self, which: str) -> str:
        return (
            "INSERT INTO contact_tag (contact_id, tag_folded, tag)"
            f" SELECT s.contact_id, t.tag_folded, t.tag FROM import_tag t {self._to_contact('t')}"
            f" WHERE {which} ON CONFLICT DO NOTHING"
        )

    def insert_members(self, which: str) -> str:
        return (
            "INSERT INTO membership (contact_id, group_id, state, added)"
            " SELECT s.contact_id, m.group_id, m.state, :now"
            f" FROM import_member m {self._to_contact('m')}"
            f" WHERE {which} ON CONFLICT DO NOTHING"
        )

    def _to_contact(self, alias: str) -> str:
        return f"JOIN import_row s ON s.position = {alias}.position"

    def _something_differs(self, touched: Collection[int]) -> str:
        distinct = "IS NOT" if self.is_sqlite else "IS DISTINCT FROM"
        tests = [
            f"contact.{name} {distinct} {self._new_value(name)}" for name in self.layout.columns
        ]
        if self.layout.has_attributes:
            stored = "json(contact.attributes)" if self.is_sqlite else "contact.attributes"
            tests.append(f"{stored} {distinct} {self._merged('attributes')}")
        if touched:
            listed = "IN (SELECT value FROM json_each(:touched))"
            tests.append(f"s.contact_id {listed if self.is_sqlite else '= ANY(:touched)'}")
        if self.wave.moved:
            tests.append(f"s.position IN (SELECT position FROM {MOVED_TABLE})")
        return " OR ".join(tests) or "false"

    def _new_value(self, name: str) -> str:
        """The given value if there is one, else the stored one; missing where it is cleared."""
        kept = f"COALESCE(s.{name}, contact.{name})"
        if not self.layout.clears:
            return kept
        bit = 1 << self.layout.columns.index(name.removesuffix("_folded"))
        nothing = "NULL" if contact.c[name].nullable else "0"
        return f"CASE WHEN s.cleared & {bit} <> 0 THEN {nothing} ELSE {kept} END"

    def _merged(self, name: str) -> str:
        """The stored attributes with the given ones in their place; a null takes one away."""
        if self.is_sqlite:
            return f"json_patch(contact.{name}, s.{name})"
        return f"jsonb_strip_nulls(contact.{name} || s.{name})"

    def _without_nulls(self, name: str) -> str:
        return f"json_patch('{{}}', s.{name})" if self.is_sqlite else f"jsonb_strip_nulls(s.{name})"


def _definitions(layout: Layout, dialect: sa.Dialect, of_source: bool) -> dict[str, str]:
    stored = {column.name: column.type.compile(dialect) for column in contact.c}
    columns = ", ".join(f"{n} {stored.get(n, 'integer')}" for n in layout.staged_columns[1:])
    columns += ", external_id text" * of_source
    return {
        "import_row": f"contact_id bigint, position integer PRIMARY KEY, {columns}",
        "import_tag": "position integer, tag_folded text, tag text,"
        " PRIMARY KEY (position, tag_folded)",
        "import_member": "position integer, group_id integer, state text,"
        " PRIMARY KEY (position, group_id)",
        imported_status.INACTIVE_TABLE: imported_status.INACTIVE_COLUMNS,
        MOVED_TABLE: MOVED_COLUMNS,
    }
