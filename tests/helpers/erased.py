"""Somebody to be erased, with her address all over the store."""

from typing import Any

from sqlalchemy import insert

from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun
from contactctl.operations.criteria import CriteriaSource
from contactctl.operations.plans import select_any
from contactctl.operations.session import Session
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.handled import add_deactivated, add_group, add_member, add_response
from helpers.sessions import NOW

ADDRESS = "Ann.Secret@Mail.example.com"
KEY = ADDRESS.lower()
KINDS = [AnonymizeRun, DeleteRun]


def fill(store: Store) -> tuple[int, int]:
    """Ann, with her address all over the store, and Bob, in whose data it occurs."""
    ann = add_deactivated(store, ADDRESS, Category.TRANSIENT)
    bob = add_deactivated(store, f"x{KEY}")
    with store.writing() as connection:
        add_member(connection, ann, add_group(connection, "news"))
        connection.execute(
            insert(tables.contact_tag).values(contact_id=ann, tag="vip", tag_folded="vip")
        )
        add_response(connection, ann, Category.TRANSIENT, recipient=ADDRESS)
        said = f"<{ADDRESS}> and bounce+ann.secret=mail.example.com@returns.example.net failed"
        add_response(connection, bob, Category.BLOCKED, recipient=ADDRESS, diagnostic=said)
        said = "ann.secret=40mail.example.com http://x.example/?id=Ann.Secret%40mail.example.com"
        add_response(connection, bob, Category.BLOCKED, diagnostic=said, source_key="r2")
        for key in (KEY, f"<{KEY}", f"bob@{KEY}"):
            connection.execute(insert(tables.unmatched_response).values(unmatched(key)))
        for tag in (f"of {ADDRESS}", "of [erased]"):
            connection.execute(
                insert(tables.contact_tag).values(contact_id=bob, tag=tag, tag_folded=tag.lower())
            )
        run = {"kind": "deactivate", "state": "done", "operator": "o@h", "database_identity": "d"}
        connection.execute(
            insert(tables.run).values(
                **run,
                reason=f"'{ADDRESS}' asked",
                request={"conditions": [[f"email ={KEY}", "x"]], KEY: [KEY]},
                planned=0,
                changed=0,
                planned_at=NOW,
                clock_replaced=False,
                message=f"about {KEY}.",
            )
        )
        connection.execute(
            tables.contact.update()
            .where(tables.contact.c.id == bob)
            .values(attributes={"boss": ADDRESS}, attributes_folded={"boss": KEY})
        )
    return ann, bob


def unmatched(email_key: str) -> dict[str, Any]:
    return {
        "email_key": email_key,
        "source_key": "u",
        "category": "transient",
        "counts": True,
        "recipient": email_key.replace(KEY, ADDRESS),
        "occurred_at": NOW,
        "recorded_at": NOW,
        "run_id": 1,
    }


def selection_of(session: Session, *where: str) -> Any:
    return select_any(session, CriteriaSource(where=where))
