"""Three contacts that are looked after by hand, and commands for that."""

from pathlib import Path
from typing import Any

from contactctl.store.database.store import Store
from helpers.store_cli import StoreCli

CONFIG = """
attributes: {plan: text, orders: number, renewal: date}
limits: {max_contacts: 10000, max_percent: 100}
allow_undo: true
thresholds:
  invalid-address: {count: 1}
  transient: {count: 2, days_apart: 0}
  spam-complaint: {count: 1}
handling: {}
"""
ANN, BO = "ann@x.no", "bo@x.no"


def ok(cli: StoreCli, *args: object) -> Any:
    return cli.json(*args)


def show(cli: StoreCli, contact: object) -> Any:
    return ok(cli, "contacts", "show", contact)


def readdress(cli: StoreCli, old: object, new: str, **values: Any) -> Any:
    return cli.json("contacts", "readdress", old, new, "--confirm", new, **values)


def open_reasons(cli: StoreCli, contact: object) -> list[tuple[str, str]]:
    rows = show(cli, contact)["deactivations"]
    return [(each["origin"], each["category"] or "") for each in rows if not each["ended_at"]]


def upkeep_cli(store: Store, url: str, folder: Path) -> StoreCli:
    """Ann (1) and Bo (2) in the group news, Ci (3) without any."""
    made = StoreCli(store, url, folder)
    made.configure(CONFIG)
    people = folder / "people.csv"
    people.write_text("email,first_name,group\nann@x.no,Ann,news\nbo@x.no,,news\nci@x.no,Ci,\n")
    ok(made, "contacts", "import", people, "--create-groups")
    return made
