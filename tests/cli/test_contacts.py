"""`contactctl contacts ...` through the whole program."""

import json

import pytest
from sqlalchemy import text

from contactctl.store.database.store import Store
from helpers.imports import contacts_in
from helpers.program import Program
from helpers.sessions import NOW


def test_an_export_is_csv_with_stable_columns(program: Program) -> None:
    program.import_text("email,tag,group\na@x.no,b;a,g2|g1\n")
    header, row = program.run("contacts", "export").lines
    assert header == (
        "email,first_name,last_name,phone,company,source,tag,group,last_opportunity,"
        "last_emailed,last_opened,last_clicked,last_machine_opened,"
        "attributes.plan,attributes.orders,"
        "attributes.vip,attributes.renewal,attributes.tier"
    )
    assert row == "a@x.no,,,,,,a;b,g1;g2,,,,,,,,,,"
    picked = program.run("contacts", "export", "--fields", "id,status,email")
    assert picked.lines == ["id,status,email", "1,active,a@x.no"]


def test_hostile_text_is_defused_where_it_is_shown(program: Program) -> None:
    program.import_text("email,first_name,last_name\na@x.no,\x1b[31m[bold],=cmd()\n")
    exported = program.run("contacts", "export")
    assert "'=cmd()" in exported.stdout
    shown = program.run("contacts", "show", "a@x.no", tty=True)
    assert "\x1b[31m" not in shown.stdout
    assert "\\x1b[31m[bold]" in shown.stdout
    listed = program.run("contacts", "list", "--json").stdout
    assert "\x1b" not in listed
    assert json.loads(listed)["data"]["contacts"][0]["first_name"] == "\x1b[31m[bold]"


@pytest.mark.both_databases
def test_filters_sort_and_limit(program: Program) -> None:
    program.import_text(
        "email,last_name,last_opportunity,group\n"
        "a@x.no,Bus,2020-01-01,g\nb@x.no,adler,2026-01-01,g\nc@x.no,,,\n"
    )

    def emails(*args: str) -> list[str]:
        result = program.run("contacts", "list", "--json", *args)
        assert result.exit_code == 0
        return [contact["email"][0] for contact in result.json["data"]["contacts"]]

    assert emails() == ["a", "b", "c"]
    assert emails("--where", "last_opportunity older-than 24 months") == ["a"]
    assert emails("--where-not", "group = g") == ["c"]
    assert emails("--where", "group = g", "--sort", "-last_opportunity") == ["b", "a"]
    assert emails("--sort", "-email", "--limit", "2") == ["c", "b"]
    assert emails("--sort", "last_name") == ["b", "a", "c"]
    criteria = program.write("old.yaml", "any: [last_opportunity missing, email starts-with a]\n")
    assert emails("--criteria", str(criteria)) == ["a", "c"]


@pytest.mark.parametrize("command", ["list", "export"])
@pytest.mark.parametrize(
    ("args", "words", "exit_code"),
    [
        (["--where", "emial missing"], "did you mean 'email'", 2),
        (["--where", "group = nix"], "unknown group 'nix'", 2),
        (["--deliverable", "--group", "nix"], "no group 'nix'", 1),
        (["--group", "news"], "--group needs --deliverable", 2),
        (["--fields", "emial"], "unknown field 'emial'", 2),
        (["--fields", "email,id,email"], "--fields names 'email' twice", 2),
    ],
)
def test_filters_that_cannot_be_meant(
    program: Program, command: str, args: list[str], words: str, exit_code: int
) -> None:
    program.import_text("email,group\na@x.no,news\n")
    result = program.run("contacts", command, *args)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert result.stdout == ""


def test_unknown_sort_fields_are_refused(program: Program) -> None:
    result = program.run("contacts", "list", "--sort", "emial")
    assert result.exit_code == 2
    assert "did you mean 'email'" in result.stderr


@pytest.mark.both_databases
def test_deliverable_contacts(program: Program, store: Store) -> None:
    groups = "news;bulletin;quiet"
    program.import_text(f"email,group\na@x.no,{groups}\nb@x.no,{groups}\nc@x.no,\n")
    with store.writing() as connection:
        connection.execute(text("UPDATE contact SET status = 'inactive' WHERE email = 'b@x.no'"))

    def deliverable(*args: str) -> list[str]:
        result = program.run("contacts", "export", "--deliverable", "--fields", "email", *args)
        return [line[0] for line in result.lines[1:]]

    assert deliverable() == ["a", "c"]
    assert deliverable("--group", "NEWS") == ["a"]
    assert deliverable("--group", "bulletin") == ["a", "b"]  # the config lets it bypass
    with store.writing() as connection:
        settings = 'UPDATE "group" SET settings = \'{"bypass_system_wide": true}\''
        connection.execute(text(settings.replace(": true", "\\: true")))
    assert deliverable("--group", "news") == ["a", "b"]
    assert deliverable("--group", "quiet") == ["a"]  # the config outranks what the store keeps


@pytest.mark.both_databases
def test_show_has_the_promised_keys(program: Program, store: Store) -> None:
    program.import_text("email,tag,group,attributes.plan\na@x.no,vip,news,free\n")
    with store.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin,"
                " started_at) VALUES (1, 0, 5, 'transient', 'threshold', :at)"
            ),
            {"at": NOW.replace(tzinfo=None).isoformat(" ", "microseconds")},
        )
    for name in ("A@x.no", "1"):
        data = program.run("contacts", "show", name, "--json").json["data"]
        assert (data["id"], data["email"], data["status"]) == (1, "a@x.no", "active")
        assert data["groups"] == [{"name": "news", "state": "follows"}]
        assert (data["tags"], data["attributes"]) == (["vip"], {"plan": "free"})
        assert data["deactivations"] == [
            {
                "scope": "system-wide",
                "group": None,
                "origin": "threshold",
                "category": "transient",
                "started_at": "2026-06-15T12:00:00Z",
                "ended_at": None,
                "run": 5,
            }
        ]
    assert "follows" in program.run("contacts", "show", "1").stdout
    missing = program.run("contacts", "show", "b@x.no", "--json")
    assert (missing.exit_code, missing.json["errors"][0]["code"]) == (1, "not-found")


def test_add(program: Program, store: Store) -> None:
    program.run("groups", "create", "news")
    args = ("contacts", "add", "Anna@x.no", "--first-name", "Anna", "--attribute", "plan=a=b")
    added = program.run(*args, "--group", "news", "--tag", "x", "--tag", "y", "--json")
    assert added.exit_code == 0
    assert added.json["data"] == {"id": 1, "email": "Anna@x.no", "run": 2}
    contact = contacts_in(store)["anna@x.no"]
    assert contact["attributes"] == {"plan": "a=b"}
    assert (contact["tags"], contact["groups"]) == ({"x", "y"}, {"news": "follows"})
    again = program.run("contacts", "add", "ANNA@x.no", "--json")
    assert (again.exit_code, again.json["errors"][0]["code"]) == (4, "refused")
    assert program.run("contacts", "add", "anna").exit_code == 2
    assert program.run("contacts", "add", "b@x.no", "--attribute", "plan").exit_code == 2
    assert set(contacts_in(store)) == {"anna@x.no"}


def test_a_mistake_in_fields_is_told_before_anything_changes(program: Program) -> None:
    program.run("contacts", "add", "a@x.no")
    program.run("groups", "create", "news")
    for args in [
        ("contacts", "import", "-"),
        ("contacts", "add", "b@x.no"),
        ("groups", "create", "other"),
        ("groups", "add", "news", "a@x.no"),
    ]:
        result = program.run(*args, "--fields", "runn", stdin="email\nb@x.no\n")
        assert result.exit_code == 2, args
        assert "did you mean 'run'?" in result.stderr, args
        assert len(program.run("runs", "list", "--json").json["data"]["runs"]) == 2, args


def test_what_is_shown_are_the_fields_that_can_be_chosen(program: Program) -> None:
    from contactctl.output.contacts import ADDED_FIELDS, IMPORT_FIELDS
    from contactctl.output.groups import CHANGE_FIELDS

    def keys(*args: str) -> tuple[str, ...]:
        return tuple(program.run(*args, "--json", stdin="email\n").json["data"])

    assert keys("contacts", "import", "-") == IMPORT_FIELDS
    assert keys("contacts", "add", "a@x.no") == ADDED_FIELDS
    assert keys("groups", "create", "news") == CHANGE_FIELDS


@pytest.mark.both_databases
def test_who_is_inactive_and_why_can_be_listed(program: Program) -> None:
    program.import_text("email,group\na@x.no,news\nb@x.no,\n")
    program.write(
        "contactctl.yaml", "thresholds: {invalid-address: {count: 1}}\nlimits: {max_percent: 100}\n"
    )
    events = '{"email": "a@x.no", "category": "invalid-address", "id": "1"}\n'
    assert program.run("responses", "ingest", "-", stdin=events).exit_code == 0
    fields = "email,deactivation_origin,deactivation_category,responses.invalid-address"

    for command in ("list", "export"):
        listed = program.run("contacts", command, "--fields", fields, "--format", "csv")
        assert listed.lines[1:] == ["a@x.no,threshold,invalid-address,1", "b@x.no,,,0"]
    ann, bo = program.run("contacts", "list", "--json").json["data"]["contacts"]
    assert ann["deactivated"] is not None
    assert (ann["group"], bo["deactivated"]) == (["news"], None)
