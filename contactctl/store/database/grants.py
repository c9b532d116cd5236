"""The rights that each role needs on Postgres, as SQL to be run by the database's owner."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.dialects import postgresql

from contactctl.domain.policies import Approval, Limits, PlanPolicy
from contactctl.domain.run_kinds import RUN_TYPES, RunKind
from contactctl.domain.runs import RunState
from contactctl.store.database.distribution import ONE_BY_ONE
from contactctl.store.tables import metadata

# what only admins begin or go on with
_OF_ADMINS = [kind for kind, each in RUN_TYPES.items() if each.for_admins]
# the server fills it in with the login that it has let in
_OF_THE_SERVER = ("planned_role",)
# who asked for what, why and under which terms: written with the run, never again by an operator
_OF_THE_REQUEST = (
    "id",
    "kind",
    "operator",
    "database_identity",
    "reason",
    "request",
    "planned_at",
    "clock_replaced",
    "terms",
)
_UNWRITTEN_BY_OPERATORS = ("policy", "suppression")
_OPERATOR_UPDATES = (
    "contact",
    "membership",
    "response",
    "unmatched_response",
    "response_rate",
    "incident",
    "delivery",
    "pushed_suppression",
    "routine",
    "delivery_rate",
    "unswept",
)
# what an operator's daily work deletes: plans, addresses given up, memberships, tags, ids that a
# source gave to another contact, responses that found a contact, counts that are made anew,
# deliveries that are old, and
# clicks that turn out to be a machine's
_OPERATOR_DELETES = (
    "plan_item",
    "contact_email",
    "membership",
    "contact_tag",
    "external_id",
    "pushed_suppression",
    "unmatched_response",
    "response_rate",
    "unjudged_hour",
    "delivery",
    "click",
    "unswept",
)
_KEPT_FOR_EVER = ("run", "policy", "former_membership", "change")
_ADMIN_DELETES_OF_KEPT = ("former_membership",)  # of an erased contact


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the database's roles: who may look, who may work, who may decide and erase."""

    viewer: str
    operator: str
    admin: str


def grant_statements(
    database: str, schema: str, roles: Roles, *, is_distributed: bool = False
) -> list[str]:
    """Statements that give the three roles, which must exist, exactly their rights.

    Where the store is distributed, plan items have no row security: a worker does not have the
    runs that it asks. They can be run again, after an upgrade say: what was granted before is
    taken back first.
    """
    viewer, operator, admin = (_quoted(n) for n in (roles.viewer, roles.operator, roles.admin))
    workers = f"{operator}, {admin}"
    names = [table.name for table in metadata.sorted_tables]
    filled = [name for name in names if name not in ("run", *_UNWRITTEN_BY_OPERATORS)]
    every = f"{_listed(names)}, alembic_version"
    return [
        "BEGIN;",
        *([f"{ONE_BY_ONE};"] if is_distributed else []),
        f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {viewer}, {workers};",
        f"GRANT TEMPORARY ON DATABASE {_quoted(database)} TO {workers};",
        f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {viewer}, {workers};",
        f"REVOKE ALL ON {every} FROM {viewer}, {workers};",
        f"GRANT SELECT ON {every} TO {viewer}, {workers};",
        *_operator_rights(filled, operator),
        *_admin_rights(names, admin),
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {_quoted(schema)} TO {workers};",
        _may_analyze(_listed(filled), workers),
        *_row_security(operator, admin, is_distributed=is_distributed),
        "COMMIT;",
    ]


def _operator_rights(inserted: Collection[str], operator: str) -> list[str]:
    asked = _columns("run", without=("id", *_OF_THE_SERVER))
    moved = _columns("run", without=(*_OF_THE_REQUEST, *_OF_THE_SERVER))
    return [
        f"GRANT INSERT ON {_listed(inserted)} TO {operator};",
        f"GRANT INSERT ({asked}), UPDATE ({moved}) ON run TO {operator};",
        f"GRANT UPDATE (ended_at, ended_by_run_id) ON deactivation TO {operator};",
        f"GRANT UPDATE ON {_listed(_OPERATOR_UPDATES)} TO {operator};",
        f"GRANT DELETE ON {_listed(_OPERATOR_DELETES)} TO {operator};",
    ]


def _admin_rights(names: Collection[str], admin: str) -> list[str]:
    """An erasure reads and rewrites every text, those of runs and policies too."""
    written = [name for name in names if name not in ("run", "policy")]
    updated = [name for name in written if name != "suppression"]
    deleted = [
        name for name in names if name not in _KEPT_FOR_EVER or name in _ADMIN_DELETES_OF_KEPT
    ]
    asked = _columns("run", without=("id", *_OF_THE_SERVER))
    return [
        f"GRANT INSERT ON {_listed(written)}, policy TO {admin};",
        f"GRANT INSERT ({asked}), UPDATE ({asked}) ON run TO {admin};",
        f"GRANT UPDATE (document) ON policy TO {admin};",
        f"GRANT UPDATE ON {_listed(updated)} TO {admin};",
        f"GRANT DELETE ON {_listed(deleted)} TO {admin};",
    ]


def _row_security(operator: str, admin: str, *, is_distributed: bool) -> list[str]:
    """Everybody reads every row; whose rows may be written is said here."""
    kinds = _texts(kind for kind in RunKind if kind not in _OF_ADMINS)
    is_theirs = f"kind IN ({kinds})"
    is_of_theirs = f"run_id IN (SELECT id FROM run WHERE {is_theirs})"  # noqa: S608 - our own words
    is_open = f"state IN ({_texts((RunState.PLANNED, RunState.RUNNING))})"
    return [
        *_secured("run", admin),
        *_policy(
            "run", "operators_begin", f"FOR INSERT TO {operator}", check=_may_begin(is_theirs)
        ),
        *_policy(
            "run",
            "operators_go_on",
            f"FOR UPDATE TO {operator}",
            using=f"{is_open} AND {is_theirs}",
            check=_may_go_on(is_theirs),
        ),
        *([] if is_distributed else _plan_security(operator, admin, is_of_theirs)),
        *_secured("deactivation", admin),
        *_policy("deactivation", "operators_open", f"FOR INSERT TO {operator}", check="true"),
        *_policy(
            "deactivation",
            "operators_end",
            f"FOR UPDATE TO {operator}",
            using="ended_at IS NULL",
            check="true",
        ),
    ]


def _plan_security(operator: str, admin: str, is_of_theirs: str) -> list[str]:
    return [
        *_secured("plan_item", admin),
        *_policy("plan_item", "operators_plan", f"FOR INSERT TO {operator}", check=is_of_theirs),
        *_policy("plan_item", "operators_drop", f"FOR DELETE TO {operator}", using=is_of_theirs),
    ]


def _may_begin(is_theirs: str) -> str:
    """A kind of theirs, by the real clock, under the terms of the policy or stricter ones."""
    plans, limits = PlanPolicy(), Limits()
    approval = f"coalesce(document #>> '{{plans,approval}}', '{plans.approval}')"
    contacts = f"coalesce((document #>> '{{limits,max_contacts}}')::bigint, {limits.max_contacts})"
    percent = f"coalesce((document #>> '{{limits,max_percent}}')::numeric, {limits.max_percent})"
    holds = (
        "(terms ->> 'policy')::bigint = number"
        f" AND (terms ->> 'max_contacts')::bigint <= {contacts}"
        f" AND (terms ->> 'max_percent')::numeric <= {percent}"
        f" AND ({approval} <> '{Approval.SECOND_OPERATOR}'"
        f" OR terms ->> 'approval' = '{Approval.SECOND_OPERATOR}')"
        " AND (NOT clock_replaced"
        " OR coalesce((document ->> 'allow_replaced_clock')::boolean, false))"
    )
    in_force = (
        "SELECT FROM policy WHERE number = (SELECT max(number) FROM policy)"  # noqa: S608
        f" AND ({holds}) IS NOT TRUE"
    )
    is_begun = f"state <> '{RunState.RUNNING}' OR NOT {_is_bulk()}"
    return f"{is_theirs} AND ({is_begun}) AND NOT EXISTS ({in_force})"


def _may_go_on(is_theirs: str) -> str:
    """What runs was allowed to start: within its own terms, by somebody else where they say so."""
    deactivates = _texts(kind for kind, each in RUN_TYPES.items() if each.deactivates)
    in_limits = (
        "planned <= (terms ->> 'max_contacts')::bigint"
        f" AND (kind NOT IN ({deactivates})"
        " OR planned * 100 <= (terms ->> 'max_percent')::numeric * active_before)"
    )
    by_another = (
        f"terms ->> 'approval' <> '{Approval.SECOND_OPERATOR}' OR planned_role <> SESSION_USER"
    )
    has_terms = "(terms ->> 'policy') IS NOT NULL"
    return (
        f"{is_theirs} AND (state <> '{RunState.RUNNING}' OR NOT {has_terms}"
        f" OR NOT {_works_through_a_plan()}"
        f" OR ({in_limits} AND (NOT {_is_bulk()} OR {by_another})))"
    )


def _is_bulk() -> str:
    """Kinds that somebody asks for and confirms; the others with a plan follow rules."""
    bulk = [kind for kind in RunKind if RUN_TYPES[kind].is_asked_for]
    return f"kind IN ({_texts(bulk)})"


def _works_through_a_plan() -> str:
    planned = [kind for kind, each in RUN_TYPES.items() if each.work and kind not in _OF_ADMINS]
    return f"kind IN ({_texts(planned)})"


def _secured(table: str, admin: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;",
        *_policy(table, "everybody_reads", "FOR SELECT", using="true"),
        *_policy(table, "admins_work", f"FOR ALL TO {admin}", using="true", check="true"),
    ]


def _policy(table: str, name: str, what: str, *, using: str = "", check: str = "") -> list[str]:
    parts = [f"USING ({using})" if using else "", f"WITH CHECK ({check})" if check else ""]
    return [
        f"DROP POLICY IF EXISTS {name} ON {table};",
        f"CREATE POLICY {name} ON {table} {what} {' '.join(filter(None, parts))};",
    ]


def _columns(table: str, *, without: Collection[str]) -> str:
    columns = metadata.tables[table].columns
    return _listed([column.name for column in columns if column.name not in without])


def _listed(names: Collection[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _texts(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _quoted(name: str) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    quoted: str = dialect.identifier_preparer.quote(name)
    return quoted


def _may_analyze(tables: str, roles: str) -> str:
    """Large plans, and tables just filled, need statistics; before 17 only owners take them."""
    grant = f"GRANT MAINTAIN ON {tables} TO {roles}"
    return (
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000"
        f" THEN {grant}; END IF; END $$;"
    )
