"""A sample store to try everything on, in a folder of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

from contactctl.config.database import sqlite_url
from contactctl.domain.errors import UsageError
from contactctl.operations.demo_data import write_demo_contacts
from contactctl.operations.import_contacts import ImportInput, import_contacts
from contactctl.operations.importing.options import ImportOptions, Reject
from contactctl.operations.session import Session
from contactctl.store.migrate import create_store

CONFIG_NAME = "contactctl.yaml"
CONTACTS_NAME = "contacts.csv"
STORE_NAME = "contacts.db"

_CONFIG = """\
# The config of the demo; config.example.yaml of the project shows every key.
database: sqlite:///contacts.db
time_zone: UTC
attributes:
  plan: [free, trial, pro]
  orders: number
  vip: boolean
billing:
  currency: USD
  tiers:
    - {up_to: 1000, price: 29}
    - {up_to: 4000, price: 79}
    - {up_to: 10000, price: 99}
    - {price: 249}
limits: {max_contacts: 10000, max_percent: 25}
thresholds:
  invalid-address: {count: 1}
  spam-complaint: {count: 1}
  transient: {count: 5, within: 30 days}
handling:
  transient: {reactivate_after: 10 days}
"""

_CRITERIA = """\
# Try it: contactctl preview --criteria stale.yaml
name: Stale and not important
all:
  - last_opportunity older-than 24 months
  - any:
      - group = newsletter
      - attributes.plan in free,trial
none:
  - attributes.vip = true
  - tag = vip
"""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the demo's files are."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / CONFIG_NAME

    @property
    def database_url(self) -> str:
        return sqlite_url(self.path.absolute() / STORE_NAME)

    @property
    def has_store(self) -> bool:
        return (self.path / STORE_NAME).exists() and self.config.exists()


def prepare_demo_folder(folder: DemoFolder, now: datetime) -> None:
    """Write config, criteria and contacts, and create the store.

    UsageError for a folder that holds other things.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    if any(folder.path.iterdir()):
        raise UsageError(
            f"{folder.path} is not empty, and is not a demo",
            hint="name another folder: contactctl demo DIR",
        )
    folder.config.write_text(_CONFIG, encoding="utf-8")
    (folder.path / "stale.yaml").write_text(_CRITERIA, encoding="utf-8")
    with (folder.path / CONTACTS_NAME).open("w", encoding="utf-8") as contacts:
        write_demo_contacts(contacts, now.date())
    create_store(folder.database_url).close()


def import_demo_contacts(session: Session, folder: DemoFolder) -> int:
    """Import the folder's contacts into its store; returns how many."""
    given = ImportInput(
        path=folder.path / CONTACTS_NAME,
        stdin=BytesIO(),
        options=ImportOptions(),
    )
    result = import_contacts(session, given, _NoRejects())
    return result.counts.created


class _NoRejects:
    """Made-up contacts have no reason to be rejected."""

    def begin(self, names: Sequence[str]) -> None:
        pass

    def add(self, reject: Reject) -> None:
        raise AssertionError(f"a demo contact was rejected: {reject}")
