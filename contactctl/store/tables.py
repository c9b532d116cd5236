"""The tables (design: section 9). Growing tables have keys that start with the contact's id."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Text, false, text
from sqlmodel import Field, SQLModel

from contactctl.domain import thresholds
from contactctl.store.types import BigId, Json, UtcInstant

SYSTEM_WIDE = thresholds.SYSTEM_WIDE  # deactivation.group_id of one that holds everywhere

# Partial indexes are partial on Postgres as well: the migrations say so. Saying it here too would
# load the Postgres dialect at every start.
_NO_ROWID = {"sqlite_with_rowid": False}


def _contact_key() -> Any:
    return Column(
        BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


def _added_text() -> Any:
    """A text that older rows do not have."""
    return Column(String, nullable=False, server_default=text("''"))


def _instant(*, nullable: bool = True) -> Any:
    return Column(UtcInstant, nullable=nullable)


class Contact(SQLModel, table=True):
    """A person with one address. `*_folded` holds text as it is compared (domain.text.fold).

    `revision` grows with every change of data, tags or memberships, so that a plan can tell a
    contact that changed since it was shown. Responses from before `reactivated_at` (when it last
    became active again) count towards no threshold; nor, for some categories, do those from before
    `delivered_at`, the latest delivery, open or click that a provider has reported.
    """

    __tablename__ = "contact"
    __table_args__ = (
        # the main question: who is active, and since when without an opportunity
        Index(
            "contact_active_last_opportunity",
            "last_opportunity",
            sqlite_where=text("status = 'active'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    email: str
    email_key: str = Field(unique=True)
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
        default="active", sa_column=Column(Text, nullable=False, server_default="active")
    )
    last_opportunity: date | None = None
    last_emailed: datetime | None = Field(default=None, sa_column=_instant())
    last_opened: datetime | None = Field(default=None, sa_column=_instant())
    last_clicked: datetime | None = Field(default=None, sa_column=_instant())
    delivered_at: datetime | None = Field(default=None, sa_column=_instant())
    reactivated_at: datetime | None = Field(default=None, sa_column=_instant())
    created: datetime = Field(sa_column=_instant(nullable=False))
    updated: datetime = Field(sa_column=_instant(nullable=False))
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )
    attributes_folded: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )


class ContactTag(SQLModel, table=True):
    """A tag of a contact: as given, and as compared."""

    __tablename__ = "contact_tag"
    __table_args__ = _NO_ROWID

    contact_id: int = Field(sa_column=_contact_key())
    tag_folded: str = Field(primary_key=True)
    tag: str


class Group(SQLModel, table=True):
    """A named audience. `settings` holds what `groups set` keeps: bypass and own thresholds."""

    __tablename__ = "group"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_folded: str = Field(unique=True)
    created: datetime = Field(sa_column=_instant(nullable=False))
    settings: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )


class Membership(SQLModel, table=True):
    """A contact's place in a group; `state` is a domain.contacts.MembershipState.

    Responses from before `reactivated_at` do not count towards this group's thresholds.
    """

    __tablename__ = "membership"
    __table_args__ = (Index("membership_group", "group_id", "contact_id"), _NO_ROWID)

    contact_id: int = Field(sa_column=_contact_key())
    group_id: int = Field(primary_key=True, foreign_key="group.id")
    state: str = Field(
        default="follows", sa_column=Column(Text, nullable=False, server_default="follows")
    )
    added: datetime = Field(sa_column=_instant(nullable=False))
    reactivated_at: datetime | None = Field(default=None, sa_column=_instant())


class FormerMembership(SQLModel, table=True):
    """A membership that a run has ended; the group is named as it was called then."""

    __tablename__ = "former_membership"
    __table_args__ = _NO_ROWID

    contact_id: int = Field(sa_column=_contact_key())
    run_id: int = Field(primary_key=True)
    group_id: int = Field(primary_key=True)
    group_name: str
    added: datetime = Field(sa_column=_instant(nullable=False))
    ended_at: datetime = Field(sa_column=_instant(nullable=False))


class Deactivation(SQLModel, table=True):
    """One reason why a contact is inactive: system-wide (group_id 0) or in one group.

    The key makes a run's work idempotent: a batch applied twice cannot deactivate twice.
    """

    __tablename__ = "deactivation"
    __table_args__ = (
        # what handling rules wait for; bulk deactivations never end by rule and stay out of it
        Index(
            "deactivation_open_threshold",
            "category",
            "started_at",
            sqlite_where=text("ended_at IS NULL AND origin = 'threshold'"),
        ),
        _NO_ROWID,
    )

    contact_id: int = Field(sa_column=_contact_key())
    group_id: int = Field(primary_key=True)
    run_id: int = Field(primary_key=True)
    category: str = Field(default="", primary_key=True)
    origin: str
    started_at: datetime = Field(sa_column=_instant(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=_instant())
    ended_by_run_id: int | None = None


class Response(SQLModel, table=True):
    """One email response of a known contact (domain.responses.Response).

    A held one waits for somebody to decide whether it counts (domain.policies.IncidentGuard).
    """

    __tablename__ = "response"
    __table_args__ = (
        # few at any time: what an ingest, or an operator, has yet to decide about
        Index(
            "response_held",
            "run_id",
            sqlite_where=text("held = 1"),
        ),
        _NO_ROWID,
    )

    contact_id: int = Field(sa_column=_contact_key())
    source_key: str = Field(primary_key=True)
    category: str
    counts: bool
    not_counted: str = ""
    held: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    status: str = ""
    diagnostic: str = ""
    rule: str = ""
    evidence: str = Field(default="", sa_column=_added_text())
    through: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    recipient: str
    channel: str = "email"
    group_id: int = SYSTEM_WIDE
    occurred_at: datetime = Field(sa_column=_instant(nullable=False))
    recorded_at: datetime = Field(sa_column=_instant(nullable=False))
    source: str = ""
    run_id: int


class UnmatchedResponse(SQLModel, table=True):
    """A response to an address that no contact has; joins its contact when one is imported.

    `group_folded` is the name, as compared, of the group that the response speaks of.
    """

    __tablename__ = "unmatched_response"
    __table_args__ = (
        Index("unmatched_response_held", "run_id", sqlite_where=text("held = 1")),
        _NO_ROWID,
    )

    email_key: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    category: str
    counts: bool
    not_counted: str = ""
    held: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    status: str = ""
    diagnostic: str = ""
    rule: str = ""
    evidence: str = Field(default="", sa_column=_added_text())
    through: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    recipient: str
    channel: str = "email"
    group_folded: str = ""
    occurred_at: datetime = Field(sa_column=_instant(nullable=False))
    recorded_at: datetime = Field(sa_column=_instant(nullable=False))
    source: str = ""
    run_id: int


class Run(SQLModel, table=True):
    """One change to the store: what was asked, by whom, on which database, what it did.

    `changed` counts contacts changed so far, `skipped` maps a reason to a number, `results` says
    more where contacts alone do not tell (`removed`), `cursor` is the last contact id dealt with;
    they move in the same transaction as the contacts. `operator` asked for it, `applied_by` let it
    start, `resumed_by` is the last one besides who went on with it.
    """

    __tablename__ = "run"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    state: str
    operator: str
    database_identity: str
    reason: str = ""
    request: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )
    planned: int = 0
    changed: int = 0
    skipped: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )
    results: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(Json, nullable=False, server_default="{}")
    )
    cursor: int = Field(
        default=0, sa_column=Column(BigId, nullable=False, server_default=text("0"))
    )
    active_before: int | None = None
    active_after: int | None = None
    planned_at: datetime = Field(sa_column=_instant(nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=_instant())
    finished_at: datetime | None = Field(default=None, sa_column=_instant())
    expires_at: datetime | None = Field(default=None, sa_column=_instant())
    clock_replaced: bool = False
    message: str = ""
    applied_by: str | None = None
    resumed_by: str | None = None


class PlanItem(SQLModel, table=True):
    """The temporary segment: what a run will change, at the contact's revision that was shown.

    A bulk run has one item a contact; automatic runs one for each deactivation that they open or
    end (`group_id`, `category`), with the `action` to take where the kind of run allows several.
    """

    __tablename__ = "plan_item"
    __table_args__ = _NO_ROWID

    contact_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    run_id: int = Field(primary_key=True)
    group_id: int = Field(
        default=SYSTEM_WIDE,
        sa_column=Column(Integer, primary_key=True, autoincrement=False, server_default=text("0")),
    )
    category: str = Field(default="", sa_column=Column(Text, primary_key=True, server_default=""))
    action: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    revision: int


class Suppression(SQLModel, table=True):
    """The keyed hash of an erased address; an import cannot bring it back."""

    __tablename__ = "suppression"

    key_hash: str = Field(primary_key=True)
    created: datetime = Field(sa_column=_instant(nullable=False))
    run_id: int | None = None


# The same tables for SQLAlchemy Core: set-based work does not go through objects.
contact = SQLModel.metadata.tables["contact"]
contact_tag = SQLModel.metadata.tables["contact_tag"]
group = SQLModel.metadata.tables["group"]
membership = SQLModel.metadata.tables["membership"]
former_membership = SQLModel.metadata.tables["former_membership"]
deactivation = SQLModel.metadata.tables["deactivation"]
response = SQLModel.metadata.tables["response"]
unmatched_response = SQLModel.metadata.tables["unmatched_response"]
run = SQLModel.metadata.tables["run"]
plan_item = SQLModel.metadata.tables["plan_item"]
suppression = SQLModel.metadata.tables["suppression"]
