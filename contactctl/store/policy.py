"""What the store decides for everybody: each policy that was ever in force, the newest holds."""

from sqlalchemy import Connection, insert, select

from contactctl.domain.policies import StoredPolicy
from contactctl.store import tables

_policy = tables.policy


def newest_policy(connection: Connection) -> StoredPolicy | None:
    """The policy in force; None in a store that leaves everything to each config."""
    row = connection.execute(select(_policy).order_by(_policy.c.number.desc()).limit(1)).first()
    return None if row is None else StoredPolicy(row.number, row.document, row.run_id, row.created)


def add_policy(connection: Connection, policy: StoredPolicy) -> None:
    """Put a policy in force."""
    row = {
        "number": policy.number,
        "document": dict(policy.document),
        "run_id": policy.run_id,
        "created": policy.created,
    }
    connection.execute(insert(_policy).values(row))
