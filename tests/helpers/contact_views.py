"""Contacts as the domain sees them, written to a store row by row."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from contactctl.domain.criteria.fields import COUNT_FIELDS
from contactctl.domain.text import fold
from contactctl.store import tables
from contactctl.store.fields import FOLDED_COLUMNS, GIVEN_COLUMNS
from helpers.contacts import own_addresses
from helpers.criteria_reference import ContactView

_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
_EARLIER = datetime(1999, 1, 1, tzinfo=UTC)
_COUNTS = dict.fromkeys(COUNT_FIELDS, 0)
_PLAIN = ("id", "email_key", "email_domain", "status", "created", "updated")


def insert_views(connection: Connection, views: Iterable[ContactView]) -> None:
    """Stores the contacts, with every row that their sets and counts need."""
    views = list(views)
    connection.execute(insert(tables.contact), [_contact_row(view) for view in views])
    own_addresses(connection)
    group_ids = _insert_groups(connection, views)
    _insert(connection, tables.contact_tag, [row for v in views for row in _tag_rows(v)])
    memberships = [
        {"contact_id": v.id, "group_id": group_ids[fold(name)], "added": _ANY_TIME}
        for v in views
        for name in v.groups
    ]
    _insert(connection, tables.membership, memberships)
    _insert(connection, tables.deactivation, [r for v in views for r in _deactivation_rows(v)])
    responses = [row for view in views for row in _response_rows(view, group_ids)]
    _insert(connection, tables.response, responses)


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _contact_row(view: ContactView) -> dict[str, Any]:
    given = {name: view.values.get(name, _COUNTS.get(name)) for name in GIVEN_COLUMNS}
    row = {name: getattr(view, name) for name in _PLAIN} | given
    folded = {f"{name}_folded": row[name] and fold(row[name]) for name in FOLDED_COLUMNS}
    attributes = dict(view.attributes)
    attributes_folded = {k: fold(v) for k, v in attributes.items() if isinstance(v, str)}
    return (
        row
        | folded
        | {
            "email": view.email_key,
            "reactivated_at": view.reactivated,
            "attributes": attributes,
            "attributes_folded": attributes_folded,
        }
    )


def _insert_groups(connection: Connection, views: list[ContactView]) -> dict[str, int]:
    names = {fold(name): name for view in views for name in view.groups | view.unsubscribed_from}
    ids = {folded: number for number, folded in enumerate(sorted(names), start=1)}
    rows = [
        {"id": ids[folded], "name": name, "name_folded": folded, "created": _ANY_TIME}
        for folded, name in names.items()
    ]
    _insert(connection, tables.group, rows)
    return ids


def _tag_rows(view: ContactView) -> list[dict[str, Any]]:
    return [{"contact_id": view.id, "tag": t, "tag_folded": fold(t)} for t in view.tags]


def _deactivation_rows(view: ContactView) -> list[dict[str, Any]]:
    """The open ones of the view, and others that criteria must not see."""
    hidden = [
        _deactivation(view, run_id=1, ended_at=_ANY_TIME, origin="individual"),
        _deactivation(view, run_id=2, group_id=77, origin="import", category="blocked"),
    ]
    if view.deactivated is None:
        return hidden
    categories = sorted(view.deactivation_categories) or [""]
    origins = sorted(view.deactivation_origins)
    pairs = [(o, c) for o in origins for c in categories]
    opened = [
        _deactivation(view, run_id=10 + n, origin=origin, category=category)
        for n, (origin, category) in enumerate(pairs)
    ]
    opened[-1]["started_at"] = view.deactivated
    return hidden + opened


def _deactivation(view: ContactView, **values: Any) -> dict[str, Any]:
    defaults = {"group_id": 0, "category": "", "started_at": _EARLIER, "ended_at": None}
    return {"contact_id": view.id} | defaults | values


def _response_rows(view: ContactView, group_ids: dict[str, int]) -> list[dict[str, Any]]:
    """As many counted ones as the view says, and others that do not count."""
    counted = [
        _response(view, category, f"{category}{number}")
        for category, count in view.response_counts.items()
        for number in range(count)
    ]
    uncounted = [
        _response(view, "transient", "delayed", counts=False),
        _response(view, "transient", "text message", channel="sms"),
    ]
    uncounted += [
        _response(view, "invalid-address", f"because {reason}", counts=False, not_counted=reason)
        for reason in view.responses_not_counted
    ]
    if view.unsubscribed is not None:
        wish = {"counts": False, "occurred_at": view.unsubscribed}
        uncounted.append(_response(view, "unsubscribed", "left", **wish))
        before = {"counts": False, "occurred_at": view.unsubscribed - timedelta(days=1)}
        uncounted.append(_response(view, "unsubscribed", "left before", **before))
        uncounted.append(_response(view, "resubscribed", "came back", counts=False))
        for name in view.unsubscribed_from:
            left = wish | {"group_id": group_ids[fold(name)]}
            uncounted.append(_response(view, "unsubscribed", f"left {name}", **left))
    return counted + uncounted


def _response(view: ContactView, category: str, source_key: str, **values: Any) -> dict[str, Any]:
    return {
        "contact_id": view.id,
        "category": category,
        "source_key": source_key,
        "counts": True,
        "not_counted": "",
        "channel": "email",
        "recipient": view.email_key,
        "occurred_at": _ANY_TIME,
        "recorded_at": _ANY_TIME,
        "run_id": 1,
        "group_id": 0,
    } | values
