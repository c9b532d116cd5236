"""The tables for SQLAlchemy Core; `make docs` writes this file from store/models.py.

Every command loads it: the models, with SQLModel, its mapper and pydantic, would take another 0.2 s
at each start. Indexes are left to the models and the migrations.
"""
# fmt: off
# ruff: noqa: E501

from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    false,
    text,
    true,
)

from contactctl.domain import thresholds
from contactctl.store.types import BigId, Code, CodeText, Json, UtcInstant

metadata = MetaData()
SYSTEM_WIDE = thresholds.SYSTEM_WIDE  # deactivation.group_id of one that holds everywhere

response = Table(
    "response", metadata,
    Column("category", Code, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("not_counted", Code, nullable=False, default=''),
    Column("held", Boolean, nullable=False, default=False, server_default=false()),
    Column("status", String, nullable=False, default=''),
    Column("diagnostic", String, nullable=False, default=''),
    Column("rule", String, nullable=False, default=''),
    Column("evidence", String, nullable=False, default='', server_default=''),
    Column("through", Boolean, nullable=False, default=False, server_default=false()),
    Column("recipient", String, nullable=False),
    Column("channel", Code, nullable=False, default='email'),
    Column("occurred_at", UtcInstant, nullable=False),
    Column("recorded_at", UtcInstant, nullable=False),
    Column("source", String, nullable=False, default=''),
    Column("run_id", Integer, nullable=False),
    Column("host", String, nullable=False, default='', server_default=''),
    Column("message", BigId, nullable=False, default=0, server_default=text("0")),
    Column("incident_id", Integer),
    Column("mentions_others", Boolean, nullable=False, default=True, server_default=true()),
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("source_key", String, primary_key=True),
    Column("group_id", Integer, nullable=False, default=0),
    sqlite_with_rowid=False,
)

unswept = Table(
    "unswept", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("is_begun", Boolean, nullable=False, default=False, server_default=false()),
    sqlite_with_rowid=False,
)

unmatched_response = Table(
    "unmatched_response", metadata,
    Column("category", Code, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("not_counted", Code, nullable=False, default=''),
    Column("held", Boolean, nullable=False, default=False, server_default=false()),
    Column("status", String, nullable=False, default=''),
    Column("diagnostic", String, nullable=False, default=''),
    Column("rule", String, nullable=False, default=''),
    Column("evidence", String, nullable=False, default='', server_default=''),
    Column("through", Boolean, nullable=False, default=False, server_default=false()),
    Column("recipient", String, nullable=False),
    Column("channel", Code, nullable=False, default='email'),
    Column("occurred_at", UtcInstant, nullable=False),
    Column("recorded_at", UtcInstant, nullable=False),
    Column("source", String, nullable=False, default=''),
    Column("run_id", Integer, nullable=False),
    Column("host", String, nullable=False, default='', server_default=''),
    Column("message", BigId, nullable=False, default=0, server_default=text("0")),
    Column("incident_id", Integer),
    Column("mentions_others", Boolean, nullable=False, default=True, server_default=true()),
    Column("email_key", String, primary_key=True),
    Column("source_key", String, primary_key=True),
    Column("group_folded", String, nullable=False, default=''),
    sqlite_with_rowid=False,
)

delivery = Table(
    "delivery", metadata,
    Column("contact_id", BigId, primary_key=True, autoincrement=False),
    Column("occurred_at", UtcInstant, primary_key=True),
    Column("source_hash", BigId, primary_key=True, autoincrement=False),
    Column("mails", Integer, nullable=False, server_default=text("1")),
    sqlite_with_rowid=False,
)

click = Table(
    "click", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("occurred_at", UtcInstant, primary_key=True),
    sqlite_with_rowid=False,
)

response_rate = Table(
    "response_rate", metadata,
    Column("hour", UtcInstant, primary_key=True),
    Column("category", Code, primary_key=True),
    Column("domain", String, primary_key=True),
    Column("host", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("responses", Integer, nullable=False),
    Column("released", Integer, nullable=False),
    Column("incident_id", Integer),
    sqlite_with_rowid=False,
)

delivery_rate = Table(
    "delivery_rate", metadata,
    Column("hour", UtcInstant, primary_key=True),
    Column("domain", String, primary_key=True),
    Column("deliveries", Integer, nullable=False),
    sqlite_with_rowid=False,
)

unjudged_hour = Table(
    "unjudged_hour", metadata,
    Column("hour", UtcInstant, primary_key=True),
    sqlite_with_rowid=False,
)

incident = Table(
    "incident", metadata,
    Column("id", Integer, primary_key=True),
    Column("shared_by", Code, nullable=False),
    Column("name", String, nullable=False),
    Column("category", Code, nullable=False),
    Column("first_hour", UtcInstant, nullable=False),
    Column("last_hour", UtcInstant, nullable=False),
    Column("run_id", Integer, nullable=False),
    sqlite_autoincrement=True,
)

contact = Table(
    "contact", metadata,
    Column("id", BigId, primary_key=True),
    Column("email", String, nullable=False),
    Column("email_key", String, nullable=False),
    Column("email_domain", String, nullable=False),
    Column("first_name", String),
    Column("first_name_folded", String),
    Column("last_name", String),
    Column("last_name_folded", String),
    Column("phone", String),
    Column("phone_folded", String),
    Column("company", String),
    Column("company_folded", String),
    Column("source", String),
    Column("source_folded", String),
    Column("status", CodeText, nullable=False, default='active', server_default='active'),
    Column("last_opportunity", Date),
    Column("last_emailed", UtcInstant),
    Column("last_opened", UtcInstant),
    Column("last_clicked", UtcInstant),
    Column("last_machine_opened", UtcInstant),
    Column("last_engaged", UtcInstant, Computed("CASE WHEN last_clicked > last_opened OR last_opened IS NULL THEN last_clicked ELSE last_opened END")),
    Column("mails_received", Integer, nullable=False, server_default=text("0")),
    Column("mails_since_engaged", Integer, nullable=False, server_default=text("0")),
    Column("delivered_at", UtcInstant),
    Column("reactivated_at", UtcInstant),
    Column("created", UtcInstant, nullable=False),
    Column("updated", UtcInstant, nullable=False),
    Column("revision", Integer, nullable=False, default=0, server_default='0'),
    Column("attributes", Json, nullable=False, default=dict, server_default='{}'),
    Column("attributes_folded", Json, nullable=False, default=dict, server_default='{}'),
    Column("mentions_others", Boolean, Computed("REPLACE(REPLACE(COALESCE(CAST(first_name_folded AS TEXT), '') || COALESCE(CAST(last_name_folded AS TEXT), '') || COALESCE(CAST(phone_folded AS TEXT), '') || COALESCE(CAST(company_folded AS TEXT), '') || COALESCE(CAST(source_folded AS TEXT), '') || COALESCE(CAST(attributes_folded AS TEXT), ''), '=40', '@'), '%40', '@') LIKE '%@%'")),
    sqlite_autoincrement=True,
)

contact_email = Table(
    "contact_email", metadata,
    Column("email_key", String, primary_key=True),
    Column("contact_id", BigId, nullable=False),
    sqlite_with_rowid=False,
)

contact_tag = Table(
    "contact_tag", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("tag_folded", String, primary_key=True),
    Column("tag", String, nullable=False),
    Column("mentions_others", Boolean, Computed("REPLACE(REPLACE(COALESCE(CAST(tag_folded AS TEXT), ''), '=40', '@'), '%40', '@') LIKE '%@%'")),
    sqlite_with_rowid=False,
)

external_id = Table(
    "external_id", metadata,
    Column("contact_id", BigId, primary_key=True, autoincrement=False),
    Column("source", Code, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("mentions_others", Boolean, Computed("REPLACE(REPLACE(COALESCE(CAST(external_id AS TEXT), ''), '=40', '@'), '%40', '@') LIKE '%@%'")),
    sqlite_with_rowid=False,
)

pushed_suppression = Table(
    "pushed_suppression", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("source", Code, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("pushed_at", UtcInstant, nullable=False),
    Column("confirmed", Boolean, nullable=False, default=True, server_default=true()),
    sqlite_with_rowid=False,
)

group = Table(
    "group", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("name_folded", String, nullable=False),
    Column("created", UtcInstant, nullable=False),
    Column("settings", Json, nullable=False, default=dict, server_default='{}'),
)

membership = Table(
    "membership", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("group_id", Integer, ForeignKey("group.id"), primary_key=True),
    Column("state", CodeText, nullable=False, default='follows', server_default='follows'),
    Column("added", UtcInstant, nullable=False),
    Column("reactivated_at", UtcInstant),
    sqlite_with_rowid=False,
)

former_membership = Table(
    "former_membership", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("run_id", Integer, primary_key=True),
    Column("group_id", Integer, primary_key=True),
    Column("group_name", String, nullable=False),
    Column("added", UtcInstant, nullable=False),
    Column("ended_at", UtcInstant, nullable=False),
    Column("mentions_others", Boolean, Computed("REPLACE(REPLACE(COALESCE(CAST(group_name AS TEXT), ''), '=40', '@'), '%40', '@') LIKE '%@%'")),
    sqlite_with_rowid=False,
)

deactivation = Table(
    "deactivation", metadata,
    Column("contact_id", BigId, primary_key=True, autoincrement=False),
    Column("group_id", Integer, primary_key=True),
    Column("run_id", Integer, primary_key=True),
    Column("category", Code, primary_key=True, default=''),
    Column("origin", Code, nullable=False),
    Column("started_at", UtcInstant, nullable=False),
    Column("ended_at", UtcInstant),
    Column("ended_by_run_id", Integer),
    Column("taken_back", Boolean, nullable=False, default=False, server_default=false()),
    Column("from_contact", BigId),
    sqlite_with_rowid=False,
)

run = Table(
    "run", metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("state", Code, nullable=False),
    Column("operator", String, nullable=False),
    Column("database_identity", String, nullable=False),
    Column("reason", String, nullable=False, default=''),
    Column("request", Json, nullable=False, default=dict, server_default='{}'),
    Column("planned", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("skipped", Json, nullable=False, default=dict, server_default='{}'),
    Column("results", Json, nullable=False, default=dict, server_default='{}'),
    Column("cursor", BigId, nullable=False, default=0, server_default=text("0")),
    Column("active_before", Integer),
    Column("active_after", Integer),
    Column("planned_at", UtcInstant, nullable=False),
    Column("started_at", UtcInstant),
    Column("finished_at", UtcInstant),
    Column("expires_at", UtcInstant),
    Column("clock_replaced", Boolean, nullable=False, default=False),
    Column("message", String, nullable=False, default=''),
    Column("applied_by", String),
    Column("resumed_by", String),
    Column("planned_role", Code, nullable=False, server_default=''),
    Column("terms", Json, nullable=False, default=dict, server_default='{}'),
    Column("limit_override", Integer),
    Column("position", Json, nullable=False, default=dict, server_default='{}'),
    sqlite_autoincrement=True,
)

plan_item = Table(
    "plan_item", metadata,
    Column("run_id", Integer, primary_key=True),
    Column("contact_id", BigId, primary_key=True, autoincrement=False),
    Column("group_id", Integer, primary_key=True, autoincrement=False, default=0, server_default=text("0")),
    Column("category", CodeText, primary_key=True, default='', server_default=''),
    Column("action", CodeText, nullable=False, default='', server_default=''),
    Column("revision", Integer, nullable=False),
    sqlite_with_rowid=False,
)

change = Table(
    "change", metadata,
    Column("number", BigId, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("kind", Code, nullable=False),
    Column("contact_id", BigId, nullable=False),
    Column("last_contact_id", BigId),
    Column("group_id", Integer, nullable=False, default=0, server_default=text("0")),
    Column("state", CodeText, nullable=False, default='', server_default=''),
    Column("into_id", BigId),
    Column("at", UtcInstant, nullable=False),
    sqlite_autoincrement=True,
)

former_address = Table(
    "former_address", metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("change_number", BigId, primary_key=True, autoincrement=False),
    Column("email", String, nullable=False),
    Column("email_key", String, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("ended_at", UtcInstant, nullable=False),
    Column("from_contact", BigId),
    sqlite_with_rowid=False,
)

suppression = Table(
    "suppression", metadata,
    Column("key_hash", Code, primary_key=True),
    Column("created", UtcInstant, nullable=False),
    Column("run_id", Integer),
)

policy = Table(
    "policy", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document", Json, nullable=False, default=dict, server_default='{}'),
    Column("run_id", Integer, nullable=False),
    Column("created", UtcInstant, nullable=False),
)

routine = Table(
    "routine", metadata,
    Column("work", Code, primary_key=True),
    Column("done_at", UtcInstant, nullable=False),
    Column("state", Code, nullable=False, default='', server_default=''),
)
