"""The tables. Growing tables have keys that start with the contact's id.

Every other module takes its lists of columns from here. A text column `x` of `contact` that has the
name of a field (domain.fields) is imported, shown, exported and compared; where `x_folded` stands
beside it, it is compared by that (domain.text.fold). Whatever is text or JSON is searched when an
address is erased, unless its type is Code.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Computed, Index, false, text
from sqlmodel import Field, SQLModel

from contactctl.domain import thresholds
from contactctl.store import change_tables as _declared  # noqa: F401  (registers its tables)
from contactctl.store.types import BigId, Code, CodeText, Json, UtcInstant

SYSTEM_WIDE = thresholds.SYSTEM_WIDE  # deactivation.group_id of one that holds everywhere

# Partial indexes are partial on Postgres as well: the migrations say so. Saying it here too would
# load the Postgres dialect at every start.
_NO_ROWID = {"sqlite_with_rowid": False}


# the latest sign of a person, whoever sets what it is made of
_LAST_ENGAGED = (
    "CASE WHEN last_clicked > last_opened OR last_opened IS NULL"
    " THEN last_clicked ELSE last_opened END"
)

_IS_WISH = "category IN ('unsubscribed', 'resubscribed')"
_ZERO = {"server_default": text("0")}
_EMPTY = {"server_default": ""}


def _contact_key() -> Any:
    """A key's first column: the contact that the row belongs to, and goes with."""
    return Field(
        sa_type=BigId,
        primary_key=True,
        foreign_key="contact.id",
        ondelete="CASCADE",
        sa_column_kwargs={"autoincrement": False},
    )


def _json() -> Any:
    return Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"server_default": "{}"})


class _Table(SQLModel):
    """What all tables are. Nothing is validated by them, so pydantic need not prepare to."""

    model_config = {"defer_build": True}


class Contact(_Table, table=True):
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

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
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
        default="active", sa_type=CodeText, sa_column_kwargs={"server_default": "active"}
    )
    last_opportunity: date | None = None
    last_emailed: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_opened: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_clicked: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_machine_opened: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_engaged: datetime | None = Field(
        sa_type=UtcInstant, sa_column_args=[Computed(_LAST_ENGAGED)]
    )
    mails_received: int = Field(sa_column_kwargs=_ZERO)
    mails_since_engaged: int = Field(sa_column_kwargs=_ZERO)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    reactivated_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    created: datetime = Field(sa_type=UtcInstant)
    updated: datetime = Field(sa_type=UtcInstant)
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attributes: dict[str, Any] = _json()
    attributes_folded: dict[str, Any] = _json()


class ContactTag(_Table, table=True):
    """A tag of a contact: as given, and as compared."""

    __tablename__ = "contact_tag"
    __table_args__ = _NO_ROWID

    contact_id: int = _contact_key()
    tag_folded: str = Field(primary_key=True)
    tag: str


class ExternalId(_Table, table=True):
    """What another database, a source of the config, calls a contact; `run_id` has told so.

    A source may know one contact by several ids: rows of one address.
    """

    __tablename__ = "external_id"
    __table_args__ = (Index("external_id_of_source", "source", "external_id"), _NO_ROWID)

    contact_id: int = _contact_key()
    source: str = Field(sa_type=Code, primary_key=True)
    external_id: str = Field(primary_key=True)
    run_id: int


class PushedSuppression(_Table, table=True):
    """A contact that we have put on the suppression list of a provider, a source of the config."""

    __tablename__ = "pushed_suppression"
    __table_args__ = _NO_ROWID

    contact_id: int = _contact_key()
    source: str = Field(sa_type=Code, primary_key=True)
    run_id: int
    pushed_at: datetime = Field(sa_type=UtcInstant)


class Group(_Table, table=True):
    """A named audience. `settings` holds what `groups set` keeps: bypass and own thresholds."""

    __tablename__ = "group"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_folded: str = Field(unique=True)
    created: datetime = Field(sa_type=UtcInstant)
    settings: dict[str, Any] = _json()


class Membership(_Table, table=True):
    """A contact's place in a group; `state` is a domain.contacts.MembershipState.

    Responses from before `reactivated_at` do not count towards this group's thresholds.
    """

    __tablename__ = "membership"
    __table_args__ = (Index("membership_group", "group_id", "contact_id"), _NO_ROWID)

    contact_id: int = _contact_key()
    group_id: int = Field(primary_key=True, foreign_key="group.id")
    state: str = Field(
        default="follows", sa_type=CodeText, sa_column_kwargs={"server_default": "follows"}
    )
    added: datetime = Field(sa_type=UtcInstant)
    reactivated_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class FormerMembership(_Table, table=True):
    """A membership that a run has ended; the group is named as it was called then."""

    __tablename__ = "former_membership"
    __table_args__ = _NO_ROWID

    contact_id: int = _contact_key()
    run_id: int = Field(primary_key=True)
    group_id: int = Field(primary_key=True)
    group_name: str
    added: datetime = Field(sa_type=UtcInstant)
    ended_at: datetime = Field(sa_type=UtcInstant)


class Deactivation(_Table, table=True):
    """One reason why a contact is inactive: system-wide (group_id 0) or in one group.

    The key makes a run's work idempotent: a batch applied twice cannot deactivate twice. One that
    was `taken_back` counts as if it had never been: its responses turned out to be an incident.
    `from_contact` had it, where that one was merged into this one.
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

    contact_id: int = _contact_key()
    group_id: int = Field(primary_key=True)
    run_id: int = Field(primary_key=True)
    category: str = Field(default="", sa_type=Code, primary_key=True)
    origin: str = Field(sa_type=Code)
    started_at: datetime = Field(sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    ended_by_run_id: int | None = None
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    from_contact: int | None = Field(default=None, sa_type=BigId)


class _Recorded(_Table):
    """What is recorded of a response, whosever it is."""

    category: str = Field(sa_type=Code)
    counts: bool
    not_counted: str = Field(default="", sa_type=Code)
    held: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    status: str = ""
    diagnostic: str = ""
    rule: str = ""
    evidence: str = Field(default="", sa_column_kwargs=_EMPTY)
    through: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    recipient: str
    channel: str = Field(default="email", sa_type=Code)
    occurred_at: datetime = Field(sa_type=UtcInstant)
    recorded_at: datetime = Field(sa_type=UtcInstant)
    source: str = ""
    run_id: int
    host: str = Field(default="", sa_column_kwargs=_EMPTY)
    incident_id: int | None = None


class Response(_Recorded, table=True):
    """One email response of a known contact (domain.responses.Response), or what the person wishes
    (Unsubscribe): its category is one of WISHES, its diagnostic the group as it was named.

    A held one waits for somebody to decide whether it counts (domain.bursts). `incident_id` says
    in which incident it is or was held: not held any more, it was released, or discarded.
    """

    __tablename__ = "response"
    __table_args__ = (
        # few at any time: what an ingest, or an operator, has yet to decide about
        Index(
            "response_held",
            "run_id",
            sqlite_where=text("held = 1"),
        ),
        Index("response_occurred", "occurred_at"),
        Index("response_wish", "occurred_at", sqlite_where=text(_IS_WISH)),
        _NO_ROWID,
    )

    contact_id: int = _contact_key()
    source_key: str = Field(primary_key=True)
    group_id: int = SYSTEM_WIDE


class UnmatchedResponse(_Recorded, table=True):
    """A response to an address that no contact has; joins its contact when one is imported.

    `group_folded` is the name, as compared, of the group that the response speaks of.
    """

    __tablename__ = "unmatched_response"
    __table_args__ = (
        Index("unmatched_response_held", "run_id", sqlite_where=text("held = 1")),
        Index("unmatched_response_occurred", "occurred_at"),
        Index("unmatched_response_wish", "occurred_at", sqlite_where=text(_IS_WISH)),
        _NO_ROWID,
    )

    email_key: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    group_folded: str = ""


class Delivery(_Table, table=True):
    """A mail that a contact received, once however often it is told; 1970 where nobody says when.

    `source_hash` tells those of one instant apart. One of several `mails`, with a hash of 0 or -1,
    stands for those that another program has counted (store.engagement.settle_imported).
    """

    __tablename__ = "delivery"
    __table_args__ = _NO_ROWID

    contact_id: int = _contact_key()
    occurred_at: datetime = Field(sa_type=UtcInstant, primary_key=True)
    source_hash: int = Field(
        sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    mails: int = Field(sa_column_kwargs={"server_default": text("1")})


class Click(_Table, table=True):
    """A click of a person: a delivery that is read later can still show that it was a machine's."""

    __tablename__ = "click"
    __table_args__ = _NO_ROWID

    contact_id: int = _contact_key()
    occurred_at: datetime = Field(sa_type=UtcInstant, primary_key=True)


class ResponseRate(_Table, table=True):
    """How many responses of one hour are alike in what a burst can share (domain.bursts.Rate)."""

    __tablename__ = "response_rate"
    __table_args__ = _NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)
    category: str = Field(sa_type=Code, primary_key=True)
    domain: str = Field(primary_key=True)
    host: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    responses: int
    released: int
    incident_id: int | None = None


class DeliveryRate(_Table, table=True):
    """How many mails were delivered to contacts at a domain within an hour."""

    __tablename__ = "delivery_rate"
    __table_args__ = _NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)
    domain: str = Field(primary_key=True)
    deliveries: int


class UnjudgedHour(_Table, table=True):
    """An hour of which responses were recorded since its rates were last counted."""

    __tablename__ = "unjudged_hour"
    __table_args__ = _NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)


class Incident(_Table, table=True):
    """A burst whose responses are, or were, held (domain.bursts.BurstKey), from hour to hour.

    `run_id` is the run that met it first.
    """

    __tablename__ = "incident"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    shared_by: str = Field(sa_type=Code)
    name: str
    category: str = Field(sa_type=Code)
    first_hour: datetime = Field(sa_type=UtcInstant)
    last_hour: datetime = Field(sa_type=UtcInstant)
    run_id: int


class Run(_Table, table=True):
    """One change to the store: what was asked, by whom, on which database, what it did.

    `changed` counts contacts changed so far, `skipped` maps a reason to a number, `results` says
    more where contacts alone do not tell (`removed`), `cursor` is the last contact id dealt with;
    they move in the same transaction as the contacts. `operator` asked for it, `applied_by` let it
    start, `resumed_by` is the last one besides who went on with it. `terms` (domain.policies.Terms)
    were in force when it was asked for, `limit_override` the count confirmed beyond its limits.
    `position` says how far it has read in its source: the next run of the source goes on there.
    """

    __tablename__ = "run"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_type=Code)
    state: str = Field(sa_type=Code)
    operator: str
    database_identity: str
    reason: str = ""
    request: dict[str, Any] = _json()
    planned: int = 0
    changed: int = 0
    skipped: dict[str, int] = _json()
    results: dict[str, int] = _json()
    cursor: int = Field(default=0, sa_type=BigId, sa_column_kwargs=_ZERO)
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
    planned_role: str = Field(sa_type=Code, sa_column_kwargs=_EMPTY)
    terms: dict[str, Any] = _json()
    limit_override: int | None = None
    position: dict[str, Any] = _json()


class PlanItem(_Table, table=True):
    """The temporary segment: what a run will change, at the contact's revision that was shown.

    A bulk run has one item a contact; automatic runs one for each deactivation that they open or
    end (`group_id`, `category`), with the `action` to take where the kind of run allows several.
    """

    __tablename__ = "plan_item"
    __table_args__ = _NO_ROWID

    contact_id: int = Field(
        sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    run_id: int = Field(primary_key=True)
    group_id: int = Field(
        default=SYSTEM_WIDE, primary_key=True, sa_column_kwargs={"autoincrement": False, **_ZERO}
    )
    category: str = Field(default="", sa_type=CodeText, primary_key=True, sa_column_kwargs=_EMPTY)
    action: str = Field(default="", sa_type=CodeText, sa_column_kwargs=_EMPTY)
    revision: int


class Suppression(_Table, table=True):
    """The keyed hash of an erased address; an import cannot bring it back."""

    __tablename__ = "suppression"

    key_hash: str = Field(sa_type=Code, primary_key=True)
    created: datetime = Field(sa_type=UtcInstant)
    run_id: int | None = None


class Policy(_Table, table=True):
    """What the store decides for everybody (config.policy); the newest one holds.

    None changes, but for an address that is erased (a group may be named after one).
    """

    __tablename__ = "policy"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: dict[str, Any] = _json()
    run_id: int
    created: datetime = Field(sa_type=UtcInstant)


class Routine(_Table, table=True):
    """When `work`, a command that cron runs, was last done."""

    __tablename__ = "routine"

    work: str = Field(sa_type=Code, primary_key=True)
    done_at: datetime = Field(sa_type=UtcInstant)


# The same tables for SQLAlchemy Core: set-based work does not go through objects.
contact = SQLModel.metadata.tables["contact"]
contact_tag = SQLModel.metadata.tables["contact_tag"]
external_id = SQLModel.metadata.tables["external_id"]
pushed_suppression = SQLModel.metadata.tables["pushed_suppression"]
group = SQLModel.metadata.tables["group"]
membership = SQLModel.metadata.tables["membership"]
former_membership = SQLModel.metadata.tables["former_membership"]
deactivation = SQLModel.metadata.tables["deactivation"]
response = SQLModel.metadata.tables["response"]
unmatched_response = SQLModel.metadata.tables["unmatched_response"]
response_rate = SQLModel.metadata.tables["response_rate"]
unjudged_hour = SQLModel.metadata.tables["unjudged_hour"]
delivery_rate = SQLModel.metadata.tables["delivery_rate"]
delivery = SQLModel.metadata.tables["delivery"]
click = SQLModel.metadata.tables["click"]
incident = SQLModel.metadata.tables["incident"]
run = SQLModel.metadata.tables["run"]
plan_item = SQLModel.metadata.tables["plan_item"]
suppression = SQLModel.metadata.tables["suppression"]
policy = SQLModel.metadata.tables["policy"]
change = SQLModel.metadata.tables["change"]
former_address = SQLModel.metadata.tables["former_address"]
routine = SQLModel.metadata.tables["routine"]
