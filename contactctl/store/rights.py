"""What a database role must be allowed to do for a kind of run, asked before it is written."""

from sqlalchemy import Connection, func, literal, select, text

from contactctl.domain.errors import StoreError
from contactctl.domain.runs import Run, RunKind
from contactctl.store.plans import Right, work_of

_OF_EVERY_PLAN: tuple[Right, ...] = (
    ("INSERT", "plan_item"),
    ("DELETE", "plan_item"),
    ("UPDATE", "run"),
)


def require_rights(connection: Connection, kind: RunKind) -> None:
    """StoreError unless the connected role may do all that runs of this kind do."""
    if connection.dialect.name != "postgresql":
        return
    role = str(connection.execute(text("SELECT current_user")).scalar_one())
    if lacking := _lacking(connection, kind, role):
        wanted = ", ".join(f"{privilege} on {table}" for privilege, table in lacking)
        raise StoreError(
            f"permission denied: {role} lacks {wanted}, which a run of the kind {kind} needs;"
            " nothing was changed",
            hint="`contactctl db grants` prints the rights each role needs",
        )


def begun_with_rights(connection: Connection, run: Run) -> bool:
    """Whether the role that let the run start may do what it does, as far as the run's row tells.

    On SQLite everybody who can write the file may do everything.
    """
    if connection.dialect.name != "postgresql":
        return True
    _, _, role = (run.applied_by or "").rpartition(" as ")
    is_known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(is_known, {"role": role}).first() is None:
        return False
    return not _lacking(connection, run.kind, role)


def _lacking(connection: Connection, kind: RunKind, role: str) -> list[Right]:
    """A right to some columns counts: which ones matter, the server says when it comes to it."""
    rights = [*_OF_EVERY_PLAN, *work_of(kind).rights]
    of_columns = func.has_any_column_privilege
    held = connection.execute(
        select(
            *(
                (func.has_table_privilege if privilege == "DELETE" else of_columns)(
                    literal(role), literal(table), literal(privilege)
                )
                for privilege, table in rights
            )
        )
    ).one()
    return [right for right, is_held in zip(rights, held, strict=True) if not is_held]
