"""A session on a store, at a fixed time, without a command line."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contactctl.config.settings import Settings
from contactctl.domain.criteria.fields import AttributeDeclaration, FieldType
from contactctl.operations.session import Session
from contactctl.store.database.store import Store

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

ATTRIBUTES = {
    declared.name: declared
    for declared in (
        AttributeDeclaration("plan", FieldType.TEXT),
        AttributeDeclaration("orders", FieldType.NUMBER),
        AttributeDeclaration("vip", FieldType.BOOLEAN),
        AttributeDeclaration("renewal", FieldType.DATE),
        AttributeDeclaration("tier", FieldType.CHOICE, ("Gold", "Silver")),
    )
}


def make_session(store: Store, *, now: datetime = NOW, **settings: Any) -> Session:
    """A session by `tester`; `settings` replace those of a config with ATTRIBUTES."""
    values: dict[str, Any] = {
        "database": store.engine.url.render_as_string(hide_password=False),
        "suppression_key_file": Path("suppression.key"),
        "attributes": ATTRIBUTES,
    }
    return Session(
        store=store,
        settings=Settings(**values | settings),
        now=now,
        clock=lambda: now,
        operator="tester@host",
    )


def make_role_session(store: Store, **values: Any) -> Session:
    """The same, by the database's role as commands record it, where there are roles."""
    session, role = make_session(store, **values), store.database_role()
    return replace(session, operator=f"{session.operator} as {role}") if role else session
