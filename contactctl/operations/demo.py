"""A sample store to try everything on: made-up contacts, the same but for today's date."""

import csv
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TextIO

import yaml

from contactctl.config.database import sqlite_url
from contactctl.config.load import load_settings_file
from contactctl.domain.errors import UsageError
from contactctl.operations.importing.load import ImportInput, import_contacts
from contactctl.operations.importing.options import ImportOptions, Reject
from contactctl.operations.policy import take_over
from contactctl.operations.secrets import create_key_file
from contactctl.operations.session import Session
from contactctl.store.database.migrate import create_store

DEMO_CONTACTS = 5_000
GROUPS = ("newsletter", "product-updates", "events", "customers")
COLUMNS = (
    *("email", "first_name", "last_name", "company", "source", "group", "tag"),
    *("last_opportunity", "last_opened"),
    *("attributes.plan", "attributes.orders", "attributes.vip"),
)

_NAMES = Path(__file__).with_name("demo_names.yaml")

# ages in days of the last opportunity; none lies near 24 months, so that the demo's count is the
# same on every day of the year
_RECENT = (3, 690)
_STALE = (770, 1900)
_SHARE_WITHOUT_OPPORTUNITY = 0.12
_SHARE_STALE = 0.22


def write_demo_contacts(target: TextIO, today: date) -> None:
    """Write the demo contacts as CSV, ready for `contacts import`."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(random.Random(20), today))  # noqa: S311  (made-up names, no secrets)


def _rows(dice: random.Random, today: date) -> Iterator[tuple[object, ...]]:
    made_of = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))
    for number in range(1, DEMO_CONTACTS + 1):
        first, last = dice.choice(made_of["first_names"]), dice.choice(made_of["last_names"])
        opportunity = _last_opportunity(dice, today)
        opened = today - timedelta(days=dice.randrange(1, 900))
        yield (
            f"{_plain(first)}.{_plain(last)}{number}@{dice.choice(made_of['domains'])}",
            first,
            last,
            dice.choice(made_of["companies"]) if dice.random() < 0.6 else "",
            dice.choice(made_of["sources"]),
            ";".join(group for group in GROUPS if dice.random() < 0.45),
            "vip" if dice.random() < 0.04 else "",
            opportunity or "",
            f"{opened}T09:30:00Z" if dice.random() < 0.7 else "",
            dice.choice(made_of["plans"]),
            dice.randrange(0, 40),
            "true" if dice.random() < 0.04 else "false",
        )


def _last_opportunity(dice: random.Random, today: date) -> date | None:
    kind = dice.random()
    if kind < _SHARE_WITHOUT_OPPORTUNITY:
        return None
    youngest, oldest = _STALE if kind < _SHARE_WITHOUT_OPPORTUNITY + _SHARE_STALE else _RECENT
    return today - timedelta(days=dice.randrange(youngest, oldest))


_PLAIN = str.maketrans("áäãçéëíñóöøúü", "aaaceeinooouu")


def _plain(name: str) -> str:
    """A name as it stands in an address: lower case, without accents."""
    return name.lower().translate(_PLAIN)


# A sample store to try everything on, in a folder of its own


CONFIG_NAME = "contactctl.yaml"
CONTACTS_NAME = "contacts.csv"
STORE_NAME = "contacts.db"
KEY_NAME = "suppression.key"

_TEMPLATE = Path(__file__).with_name("demo_folder")  # config and criteria, as they are written


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
    for written in _TEMPLATE.glob("*.yaml"):
        shutil.copyfile(written, folder.path / written.name)
    with (folder.path / CONTACTS_NAME).open("w", encoding="utf-8") as contacts:
        write_demo_contacts(contacts, now.date())
    create_key_file(folder.path / KEY_NAME)
    create_store(folder.database_url).close()


def put_demo_policy_in_force(session: Session, folder: DemoFolder) -> None:
    """As `init` does, from the demo's config alone."""
    take_over(session, load_settings_file(folder.config), reason="demo")


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
