"""The tables for SQLAlchemy Core, as tables.json has them: `make docs` writes it from the models.

Every command needs them: the models (store/models.py), with SQLModel, its mapper and pydantic, take
another 0.2 s at each start. Indexes are left to the models and the migrations.
"""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contactctl.domain import thresholds
from contactctl.store.types import BigId, Code, CodeText, Json, UtcInstant

SYSTEM_WIDE = thresholds.SYSTEM_WIDE  # deactivation.group_id of one that holds everywhere

_TYPES: dict[str, Any] = {
    **{each.__name__: each for each in (Code, CodeText, Json, UtcInstant)},
    **{each.__name__: each for each in (sa.Boolean, sa.Date, sa.Float, sa.Integer, sa.String)},
    "BigId": BigId,
}


def _read() -> sa.MetaData:
    with Path(__file__).with_name("tables.json").open(encoding="utf-8") as file:
        declared = json.load(file)
    read = sa.MetaData()
    for name, table in declared.items():
        columns = (_column(*column) for column in table["columns"])
        sa.Table(name, read, *columns, **table["options"])
    return read


def _column(name: str, type_name: str, said: dict[str, Any]) -> sa.Column[Any]:
    """What is `said` are arguments of Column, but for a reference, and for SQL."""
    made: list[Any] = []
    if "references" in said:
        target, on_delete = said.pop("references")
        made.append(sa.ForeignKey(target, ondelete=on_delete))
    if "computed" in said:
        made.append(sa.Computed(said.pop("computed")))
    if "server_text" in said:
        said["server_default"] = sa.text(said.pop("server_text"))
    if isinstance(said.get("server_default"), bool):
        said["server_default"] = sa.true() if said["server_default"] else sa.false()
    if said.get("default") == {}:
        said["default"] = dict
    return sa.Column(name, _TYPES[type_name], *made, **said)


metadata = _read()
response = metadata.tables["response"]
unswept = metadata.tables["unswept"]
unmatched_response = metadata.tables["unmatched_response"]
delivery = metadata.tables["delivery"]
click = metadata.tables["click"]
response_rate = metadata.tables["response_rate"]
delivery_rate = metadata.tables["delivery_rate"]
unjudged_hour = metadata.tables["unjudged_hour"]
incident = metadata.tables["incident"]
contact = metadata.tables["contact"]
contact_email = metadata.tables["contact_email"]
contact_tag = metadata.tables["contact_tag"]
external_id = metadata.tables["external_id"]
pushed_suppression = metadata.tables["pushed_suppression"]
group = metadata.tables["group"]
membership = metadata.tables["membership"]
former_membership = metadata.tables["former_membership"]
deactivation = metadata.tables["deactivation"]
run = metadata.tables["run"]
plan_item = metadata.tables["plan_item"]
change = metadata.tables["change"]
former_address = metadata.tables["former_address"]
suppression = metadata.tables["suppression"]
policy = metadata.tables["policy"]
routine = metadata.tables["routine"]
