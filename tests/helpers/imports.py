"""Imports from text, and a store's contacts as plain values to compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from sqlalchemy import select

from contactctl.operations.importing.load import ImportInput, ImportResult, import_contacts
from contactctl.operations.importing.options import ImportOptions, Reject
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.groups import create_groups
from helpers.sessions import NOW, make_session


class KeptRejects(list[Reject]):
    """Rejects in a list."""

    names: Sequence[str] = ()

    def begin(self, names: Sequence[str]) -> None:
        self.names = names

    def add(self, reject: Reject) -> None:
        self.append(reject)


@dataclass
class Imported:
    """What an import did, and what it rejected."""

    result: ImportResult
    rejects: KeptRejects

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """created, updated, unchanged, rejected"""
        counts = self.result.counts
        return counts.created, counts.updated, counts.unchanged, self.result.rejected


def import_text(
    into: Store | Session, content: str | bytes, *, dry_run: bool = False, **options: Any
) -> Imported:
    """Import a file's content; a day after NOW, so that `updated` can tell."""
    session = make_session(into, now=NOW + timedelta(days=1)) if isinstance(into, Store) else into
    data = content.encode() if isinstance(content, str) else content
    rejects = KeptRejects()
    given = ImportInput(None, BytesIO(data), ImportOptions(**options))
    result = import_contacts(session, given, rejects, dry_run=dry_run)
    return Imported(result, rejects)


def contacts_in(store: Store) -> dict[str, dict[str, Any]]:
    """Every contact by key: its columns, tags and memberships (name -> state)."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.contact)).mappings()
        contacts = {row["id"]: {**row, "tags": set(), "groups": {}} for row in rows}
        for row in connection.execute(select(tables.contact_tag)):
            contacts[row.contact_id]["tags"].add(row.tag)
        members = select(tables.membership, tables.group.c.name).join(tables.group)
        for row in connection.execute(members):
            contacts[row.contact_id]["groups"][row.name] = row.state
    return {contact["email_key"]: contact for contact in contacts.values()}


def make_groups(store: Store, *names: str) -> None:
    """Groups for an import to name."""
    with store.writing() as connection:
        create_groups(connection, names, NOW)


def import_states(store: Store, inactive: int, active: int = 3) -> None:
    """gone0@x.no and so on, inactive, and here0@x.no and so on, active."""
    lines = ["email,status", *(f"gone{n}@x.no,inactive" for n in range(inactive))]
    lines += [f"here{n}@x.no,active" for n in range(active)]
    import_text(store, "\n".join(lines) + "\n")
