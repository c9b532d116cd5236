"""The tables' models. Growing tables have keys that start with the contact's id.

What is declared here holds everywhere: `make docs` writes store/tables.json from it, and every
other module takes its lists of columns from there. A text column `x` of `contact` that has the name
of a field (domain.fields) is imported, shown, exported and compared; where `x_folded` stands
beside it, it is compared by that (domain.text.fold). Whatever is text or JSON is searched when an
address is erased, unless its type is Code.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.store import response_models  # noqa: F401  (its tables, too)
from contactctl.store.model_base import (
    EMPTY,
    NO_ROWID,
    ZERO,
    StoreTable,
    contact_key,
    given_number,
    json_column,
    mentions_index,
    mentions_others,
)
from contactctl.store.types import BigId, Code, CodeText, UtcInstant

# the latest sign of a person, whoever sets what it is made of
_LAST_ENGAGED = (
    "CASE WHEN last_clicked > last_opened OR last_opened IS NULL"
    " THEN last_clicked ELSE last_opened END"
)


class Contact(StoreTable, table=True):
    """A person with one address, which ContactEmail keeps apart from all others.

    `*_folded` holds text as it is compared (domain.text.fold).

    `revision` grows with every change of data, tags or memberships, so that a plan can tell a
    contact that changed since it was shown. Responses from before `reactivated_at` (when it last
    became active again) count towards no threshold; nor, for some categories, do those from before
    `delivered_at`, the latest delivery, open or click that a provider has reported.
    """

    __tablename__ = "contact"
    __table_args__ = (
        # the main question: who is active, and since when without an opportunity
        sa.Index(
            "contact_active_last_opportunity",
            "last_opportunity",
            sqlite_where=sa.text("status = 'active'"),
        ),
        mentions_index("contact"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    email: str
    email_key: str
    email_domain: str
    first_name: str | None = None
    first_name_folded: str | None = None
    last_name: str | None = None
    last_name_folded: str | None = None
    phone: str | None = None
    phone_folded: str | None = None
    company: str | None = None
    company_folded: str | None = None
    source: str | None = None
    source_folded: str | None = None
    status: str = Field(
        default="active", sa_type=CodeText, sa_column_kwargs={"server_default": "active"}
    )
    last_opportunity: date | None = None
    last_emailed: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_opened: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_clicked: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_machine_opened: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_engaged: datetime | None = Field(
        sa_type=UtcInstant, sa_column_args=[sa.Computed(_LAST_ENGAGED)]
    )
    mails_received: int = Field(sa_column_kwargs=ZERO)
    mails_since_engaged: int = Field(sa_column_kwargs=ZERO)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    reactivated_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    created: datetime = Field(sa_type=UtcInstant)
    updated: datetime = Field(sa_type=UtcInstant)
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attributes: dict[str, Any] = json_column()
    attributes_folded: dict[str, Any] = json_column()
    mentions_others: bool | None = mentions_others(
        *("first_name_folded", "last_name_folded", "phone_folded", "company_folded"),
        *("source_folded", "attributes_folded"),
    )


class ContactEmail(StoreTable, table=True):
    """Whose an address is: the one place that keeps it apart from all others.

    Every contact that has an address has one row here; one that is anonymised has none. Only
    store.addresses reads and writes it. No foreign key leads to the contact, as the two may be on
    different machines: `db check` compares them.
    """

    __tablename__ = "contact_email"
    __table_args__ = NO_ROWID

    email_key: str = Field(primary_key=True)
    contact_id: int = Field(sa_type=BigId)


class ContactTag(StoreTable, table=True):
    """A tag of a contact: as given, and as compared."""

    __tablename__ = "contact_tag"
    __table_args__ = (mentions_index("contact_tag"), NO_ROWID)

    contact_id: int = contact_key()
    tag_folded: str = Field(primary_key=True)
    tag: str
    mentions_others: bool | None = mentions_others("tag_folded")


class ExternalId(StoreTable, table=True):
    """What another database, a source of the config, calls a contact; `run_id` has told so.

    A source may know one contact by several ids: rows of one address. No foreign key, as for
    deactivations: it takes more time than the rows themselves.
    """

    __tablename__ = "external_id"
    __table_args__ = (
        sa.Index("external_id_of_source", "source", "external_id"),
        mentions_index("external_id"),
        NO_ROWID,
    )

    contact_id: int = given_number()
    source: str = Field(sa_type=Code, primary_key=True)
    external_id: str = Field(primary_key=True)
    run_id: int
    mentions_others: bool | None = mentions_others("external_id")


class PushedSuppression(StoreTable, table=True):
    """A contact that we have put on the suppression list of a provider, a source of the config."""

    __tablename__ = "pushed_suppression"
    __table_args__ = NO_ROWID

    contact_id: int = contact_key()
    source: str = Field(sa_type=Code, primary_key=True)
    run_id: int
    pushed_at: datetime = Field(sa_type=UtcInstant)
    confirmed: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})


class Group(StoreTable, table=True):
    """A named audience. `settings` holds what `groups set` keeps: bypass and own thresholds."""

    __tablename__ = "group"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_folded: str = Field(unique=True)
    created: datetime = Field(sa_type=UtcInstant)
    settings: dict[str, Any] = json_column()


class Membership(StoreTable, table=True):
    """A contact's place in a group; `state` is a domain.contacts.MembershipState.

    Responses from before `reactivated_at` do not count towards this group's thresholds.
    """

    __tablename__ = "membership"
    __table_args__ = (sa.Index("membership_group", "group_id", "contact_id"), NO_ROWID)

    contact_id: int = contact_key()
    group_id: int = Field(primary_key=True, foreign_key="group.id")
    state: str = Field(
        default="follows", sa_type=CodeText, sa_column_kwargs={"server_default": "follows"}
    )
    added: datetime = Field(sa_type=UtcInstant)
    reactivated_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class FormerMembership(StoreTable, table=True):
    """A membership that a run has ended; the group is named as it was called then."""

    __tablename__ = "former_membership"
    __table_args__ = (mentions_index("former_membership"), NO_ROWID)

    contact_id: int = contact_key()
    run_id: int = Field(primary_key=True)
    group_id: int = Field(primary_key=True)
    group_name: str
    added: datetime = Field(sa_type=UtcInstant)
    ended_at: datetime = Field(sa_type=UtcInstant)
    mentions_others: bool | None = mentions_others("group_name")


class Deactivation(StoreTable, table=True):
    """One reason why a contact is inactive: system-wide (group_id 0) or in one group.

    The key makes a run's work idempotent: a batch applied twice cannot deactivate twice. One that
    was `taken_back` counts as if it had never been: its responses turned out to be an incident.
    `from_contact` had it, where that one was merged into this one.

    No foreign key: it would lock each contact's row once more than the change of status does. Who
    deletes contacts deletes these first; `db check` counts those of nobody.
    """

    __tablename__ = "deactivation"
    __table_args__ = (
        # what handling rules wait for; bulk deactivations never end by rule and stay out of it
        sa.Index(
            "deactivation_open_threshold",
            "category",
            "started_at",
            sqlite_where=sa.text("ended_at IS NULL AND origin = 'threshold'"),
        ),
        NO_ROWID,
    )

    contact_id: int = given_number()
    group_id: int = Field(primary_key=True)
    run_id: int = Field(primary_key=True)
    category: str = Field(default="", sa_type=Code, primary_key=True)
    origin: str = Field(sa_type=Code)
    started_at: datetime = Field(sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    ended_by_run_id: int | None = None
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    from_contact: int | None = Field(default=None, sa_type=BigId)


class Run(StoreTable, table=True):
    """One change to the store: what was asked, by whom, on which database, what it did.

    `changed` counts contacts changed so far, `skipped` maps a reason to a number, `results` says
    more where contacts alone do not tell (`removed`), `cursor` is the last contact id dealt with;
    they move in the same transaction as the contacts. `operator` asked for it, `applied_by` let it
    start, `resumed_by` is the last one besides who went on with it. `terms` (domain.policies.Terms)
    were in force when it was asked for, `limit_override` the count confirmed beyond its limits.
    `position` says how far it has read in its source: the next run of the source goes on there.
    """

    __tablename__ = "run"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_type=Code)
    state: str = Field(sa_type=Code)
    operator: str
    database_identity: str
    reason: str = ""
    request: dict[str, Any] = json_column()
    planned: int = 0
    changed: int = 0
    skipped: dict[str, int] = json_column()
    results: dict[str, int] = json_column()
    cursor: int = Field(default=0, sa_type=BigId, sa_column_kwargs=ZERO)
    active_before: int | None = None
    active_after: int | None = None
    planned_at: datetime = Field(sa_type=UtcInstant)
    started_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    finished_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    expires_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    clock_replaced: bool = False
    message: str = ""
    applied_by: str | None = None
    resumed_by: str | None = None
    # on Postgres the server fills it in (session_user), and no role may write it
    planned_role: str = Field(sa_type=Code, sa_column_kwargs=EMPTY)
    terms: dict[str, Any] = json_column()
    limit_override: int | None = None
    position: dict[str, Any] = json_column()


class PlanItem(StoreTable, table=True):
    """The temporary segment: what a run will change, at the contact's revision that was shown.

    A bulk run has one item a contact; automatic runs one for each deactivation that they open or
    end (`group_id`, `category`), with the `action` to take where the kind of run allows several.
    """

    __tablename__ = "plan_item"
    __table_args__ = NO_ROWID

    run_id: int = Field(primary_key=True)
    contact_id: int = given_number()
    group_id: int = Field(
        default=SYSTEM_WIDE, primary_key=True, sa_column_kwargs={"autoincrement": False, **ZERO}
    )
    category: str = Field(default="", sa_type=CodeText, primary_key=True, sa_column_kwargs=EMPTY)
    action: str = Field(default="", sa_type=CodeText, sa_column_kwargs=EMPTY)
    revision: int


class Change(StoreTable, table=True):
    """A change of who may be mailed (domain.changes), written in the transaction that makes it.

    Transactions that change contacts take turns (locks.serialise), each until its commit; so the
    numbers are in the order of the commits, and who sees one sees all below it.

    A row is of one contact; or, with `last_contact_id`, of a whole batch: of everybody in that
    stretch of ids of whom the run, or before any record (run 0) the time, says that it holds.
    """

    __tablename__ = "change"
    __table_args__ = (sa.Index("change_run", "run_id"), {"sqlite_autoincrement": True})

    number: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    run_id: int
    kind: str = Field(sa_type=Code)
    contact_id: int = Field(sa_type=BigId)
    last_contact_id: int | None = Field(default=None, sa_type=BigId)
    group_id: int = Field(default=0, sa_column_kwargs=ZERO)
    state: str = Field(default="", sa_type=CodeText, sa_column_kwargs={"server_default": ""})
    into_id: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcInstant)


class FormerAddress(StoreTable, table=True):
    """An address that a contact had until a change; what comes to it leads to the contact.

    `from_contact` had it where that one was merged into this one.
    """

    __tablename__ = "former_address"
    __table_args__ = (sa.Index("former_address_email_key", "email_key"), NO_ROWID)

    contact_id: int = contact_key()
    change_number: int = given_number()
    email: str
    email_key: str
    run_id: int
    ended_at: datetime = Field(sa_type=UtcInstant)
    from_contact: int | None = Field(default=None, sa_type=BigId)


class Suppression(StoreTable, table=True):
    """The keyed hash of an erased address; an import cannot bring it back."""

    __tablename__ = "suppression"

    key_hash: str = Field(sa_type=Code, primary_key=True)
    created: datetime = Field(sa_type=UtcInstant)
    run_id: int | None = None


class Policy(StoreTable, table=True):
    """What the store decides for everybody (config.policy); the newest one holds.

    None changes, but for an address that is erased (a group may be named after one).
    """

    __tablename__ = "policy"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: dict[str, Any] = json_column()
    run_id: int
    created: datetime = Field(sa_type=UtcInstant)


class Routine(StoreTable, table=True):
    """When `work`, a command that cron runs, was last done, and the `state` that it has left."""

    __tablename__ = "routine"

    work: str = Field(sa_type=Code, primary_key=True)
    done_at: datetime = Field(sa_type=UtcInstant)
    state: str = Field(default="", sa_type=Code, sa_column_kwargs=EMPTY)
