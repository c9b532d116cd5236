"""One contact edited, tagged or deactivated; attributes that the config lost."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.store_cli import StoreCli
from helpers.upkeep import ANN, BO, CONFIG, ok, open_reasons, show, upkeep_cli

pytestmark = pytest.mark.both_databases


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return upkeep_cli(store, store_url, tmp_path)


def test_fields_are_given_and_taken_away_as_in_an_import(cli: StoreCli) -> None:
    edit = ("contacts", "edit", ANN)
    values = ["--set", "company=Ærlig AS", "--set", "attributes.orders=7", "--unset", "first_name"]
    done = ok(cli, *edit, *values, "--reason", "asked by phone")
    assert done["changed"]
    assert done["fields"] == ["company", "attributes.orders", "first_name"]
    shown = show(cli, 1)
    assert (shown["company"], shown["first_name"]) == ("Ærlig AS", None)
    assert shown["attributes"] == {"orders": 7}
    run = ok(cli, "runs", "show", done["run"])
    assert (run["reason"], run["operator"].split(" ")[0]) == ("asked by phone", "tester@host")
    assert ANN not in json.dumps(run)
    again = ok(cli, *edit, *values)
    assert (again["changed"], again["run"]) == (False, None)
    assert ok(cli, "contacts", "list", "--where", "company = ÆRLIG as")["contacts"]
    ok(cli, *edit, "--unset", "attributes.orders", "--unset", "Company")
    assert show(cli, 1)["attributes"] == {}


def test_what_cannot_be_edited_is_told_and_nothing_changes(cli: StoreCli) -> None:
    before = dump(cli.store)
    for args, hint in [
        ([], "--set"),
        (["--set", "email=x@x.no"], "readdress"),
        (["--set", "tag=vip"], "tags add"),
        (["--set", "group=news"], "groups add"),
        (["--set", "status=inactive"], "deactivate"),
        (["--set", "created=2020-01-01"], "stays"),
        (["--set", "id=7"], "fields:"),
        (["--set", "firstname=Ann"], "first_name"),
        (["--set", "company="], "--unset company"),
        (["--set", "company=A", "--unset", "company"], ""),
        (["--set", "attributes.orders=many"], ""),
        (["--set", "attributes.renewal=soon"], ""),
        (["--set", "attributes.shoes=7"], ""),
        (["--set", "company"], "--set"),
    ]:
        (error,) = cli.errors("contacts", "edit", ANN, *args, exit_code=2)
        assert hint in error["hint"] + error["message"], args
        assert dump(cli.store) == before, args


def test_one_contact_is_deactivated_by_its_address(cli: StoreCli) -> None:
    shown = cli("deactivate", ANN, "--json")
    assert (shown.exit_code, shown.json["data"]["status"]) == (4, "active")
    done = ok(cli, "deactivate", ANN, "--confirm", "ANN@x.no", "--reason", "asked")
    assert open_reasons(cli, ANN) == [("individual", "")]
    again = ok(cli, "deactivate", ANN)
    assert (again["status"], again["run"]) == ("inactive", None)
    for wrong in (["--where", "id = 1"], ["--dry-run"], ["--plan"], ["--background"]):
        assert cli.errors("deactivate", ANN, "--confirm", ANN, *wrong, exit_code=2)
    run = ok(cli, "runs", "show", done["run"])
    assert (run["kind"], run["reason"], run["deactivated"]) == ("deactivate", "asked", 1)
    undone = ok(cli, "runs", "undo", done["run"], "--confirm", 1)
    assert (undone["changed"], show(cli, ANN)["status"]) == (1, "active")


def test_a_plan_that_waits_for_somebody_with_the_tag_is_no_matter(cli: StoreCli) -> None:
    ok(cli, "tags", "add", "vip", 3)
    ok(cli, "deactivate", "--where", "id = 3", "--plan")
    given = ok(cli, "tags", "add", "vip", "--where", "id <= 2", "--confirm", "2")
    assert (given["changed"], given["skipped"]) == (2, 0)


def test_tags_of_one_contact_and_of_many(cli: StoreCli) -> None:
    assert ok(cli, "tags", "add", "Cold", ANN)["changed"]
    assert not ok(cli, "tags", "add", "cold", ANN)["changed"]
    many = ("--where", "id <= 3")
    assert ok(cli, "tags", "add", "cold", *many, "--dry-run")["count"] == 2
    done = ok(cli, "tags", "add", "cold", *many, "--confirm", 2)
    assert (done["kind"], done["changed"]) == ("tag", 2)
    assert [each["change"] for each in ok(cli, "runs", "contacts", done["run"])["contacts"]] == [
        "tagged",
        "tagged",
    ]
    assert ok(cli, "tags", "list")["tags"] == [{"tag": "Cold", "contacts": 3}]
    assert cli.errors("tags", "remove", "cold", *many, "--confirm", 2, exit_code=4)
    kept = ok(cli, "tags", "remove", "cold", *many, "--plan")
    ok(cli, "tags", "remove", "cold", BO)
    done = ok(cli, "runs", "apply", kept["run"], "--confirm", 3)
    assert (done["changed"], done["skipped"]) == (2, 1)
    assert ok(cli, "tags", "list")["tags"] == []
    for wrong in ("", "a;b", "x" * 101):
        assert cli.errors("tags", "add", wrong, ANN, exit_code=2)
    assert cli.errors("tags", "add", "cold", exit_code=2)
    assert cli.errors("tags", "add", "cold", ANN, "--dry-run", exit_code=2)


def test_attributes_that_the_config_renamed_or_dropped(cli: StoreCli) -> None:
    ok(cli, "contacts", "edit", ANN, "--set", "attributes.plan=Pro", "--set", "attributes.orders=3")
    ok(cli, "contacts", "edit", BO, "--set", "attributes.renewal=2027-01-01")
    cli.configure(CONFIG.replace("plan: text, orders: number, renewal: date", "tier: text"))
    listed = ok(cli, "db", "attributes")
    assert listed["undeclared"] == ["orders", "plan", "renewal"]
    assert ok(cli, "db", "check")["undeclared_attributes"] == ["orders", "plan", "renewal"]
    rename = ("db", "attributes", "--rename", "plan=tier")
    assert ok(cli, *rename, "--dry-run")["count"] == 1
    assert ok(cli, *rename, "--confirm", 1)["changed"] == 1
    assert show(cli, ANN)["attributes"] == {"tier": "Pro", "orders": 3}
    assert ok(cli, "contacts", "list", "--where", "attributes.tier = PRO")["contacts"]
    assert ok(cli, "db", "attributes", "--drop", "orders", "--confirm", 1)["kind"] == "attributes"
    assert show(cli, ANN)["attributes"] == {"tier": "Pro"}
    assert ok(cli, "db", "attributes")["undeclared"] == ["renewal"]
    cli.configure(CONFIG.replace("plan: text, orders: number, renewal: date", "tier: number"))
    assert ok(cli, "db", "attributes")["attributes"][1]["unfit"] == 1
    assert "'tier' is declared as number" in cli("db", "attributes").stderr
    for wrong, code in (
        (["--drop", "tier"], 2),
        (["--drop", "nothing"], 1),
        (["--rename", "renewal=other"], 2),
        (["--rename", "renewal"], 2),
        (["--drop", "renewal", "--rename", "renewal=tier"], 2),
        (["--confirm", "1"], 2),
        (["--drop", "renewal", "--confirm", "2"], 4),
    ):
        assert cli.errors("db", "attributes", *wrong, exit_code=code)
    with cli.store.reading() as connection:
        kept = list(connection.execute(select(tables.contact.c.attributes)).scalars())
        numbered = select(tables.contact.c.id, tables.contact.c.revision)
        revisions = dict(map(tuple, connection.execute(numbered)))
    assert sorted(map(len, kept)) == [0, 1, 1]
    assert revisions == {1: 3, 2: 1, 3: 0}  # so that a plan made before skips who was changed
