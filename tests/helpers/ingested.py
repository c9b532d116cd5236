"""Responses put into a store by an ingest, and what came of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from contactctl.domain.policies import IncidentGuard, Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Category, Event, Rejection, Response
from contactctl.operations import ingest as ingesting
from contactctl.operations.ingest import IngestResult, OnReject, ingest_batches
from contactctl.operations.ingest_rows import batches_of
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.responses import insert_contact, open_deactivations
from helpers.sessions import NOW, make_session

AN_HOUR_AGO = NOW - timedelta(hours=1)
GUARD = IncidentGuard(more_than=3)
THRESHOLDS = {
    Category.INVALID_ADDRESS: Threshold(1),
    Category.BLOCKED: Threshold(1),
    Category.TRANSIENT: Threshold(2, days_apart=0),
}


def session_on(store: Store, **policy: Any) -> Session:
    return session_at(store, NOW, **policy)


def session_at(store: Store, now: datetime, **policy: Any) -> Session:
    limits = Limits(1000, Decimal(100))
    values = {"thresholds": THRESHOLDS, "incident_guard": GUARD} | policy
    return make_session(store, now=now, responses=ResponsePolicy(**values), limits=limits)


def add(store: Store, *emails: str, **values: Any) -> None:
    """Contacts with ids from 1 on, in order."""
    with store.writing() as connection:
        for contact_id, email in enumerate(emails, start=1):
            insert_contact(connection, contact_id, email, **values)


def response(
    recipient: str = "c1@example.com",
    key: str = "",
    category: Category = Category.TRANSIENT,
    **values: Any,
) -> Response:
    known: dict[str, Any] = {"occurred_at": AN_HOUR_AGO, "source": "test"}
    source_key = key or f"{recipient} {category}"
    return Response(
        source_key=source_key, recipient=recipient, category=category, **(known | values)
    )


def blocked(domain: str, number: int) -> list[Response]:
    return [
        response(f"c{each}@{domain}", category=Category.BLOCKED) for each in range(1, number + 1)
    ]


def ingest(
    session: Session, events: Iterable[Event], on_reject: OnReject, **options: Any
) -> IngestResult:
    return ingest_batches(session, batches_of(events, ingesting.BATCH_EVENTS), on_reject, **options)


def record(
    session: Session, *events: Event, rejects: list[Rejection] | None = None
) -> IngestResult:
    return ingest(session, events, (rejects if rejects is not None else []).append)


def recorded(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    table = tables.response
    statement = select(*(table.c[name] for name in columns)).order_by(
        table.c.contact_id, table.c.source_key
    )
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def deactivated(store: Store) -> list[tuple[int, int, str]]:
    with store.reading() as connection:
        return open_deactivations(connection)
