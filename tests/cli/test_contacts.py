"""`contactctl contacts ...` through the whole program, on both databases."""

import csv
import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import text

from contactctl.store.database.store import Store, open_store
from helpers.cli import CliResult, run_cli
from helpers.imports import contacts_in
from helpers.sessions import NOW

CONFIG = """
time_zone: Europe/Oslo
attributes: {plan: text, orders: number, vip: boolean, renewal: date, tier: [gold, silver]}
groups:
  bulletin: {bypass_system_wide: true}
  quiet: {bypass_system_wide: false}
"""

SHOP = """Customer ID,Email,First Purchase,Last Purchase,Orders
00001,Customer.00001@example.net,19970101,19970101,1
00002,Customer.00002@example.net,19970112,19980528,12
"""


class Program:
    """The command line, in a folder with a config, on one store."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.store_url = store_url
        (folder / "contactctl.yaml").write_text(CONFIG)

    def run(self, *args: object, stdin: str = "", tty: bool = False) -> CliResult:
        env = {"CONTACTCTL_DATABASE_URL": self.store_url}
        return run_cli(args, cwd=self.folder, stdin=stdin, tty=tty, env=env)

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, newline="")
        return path

    def import_text(self, content: str, *options: object) -> CliResult:
        return self.run("contacts", "import", "-", "--create-groups", *options, stdin=content)


@pytest.fixture
def program(tmp_path: Path, store_url: str) -> Program:
    return Program(tmp_path, store_url)


@pytest.fixture
def sqlite_program(tmp_path: Path, sqlite_url: str) -> Program:
    """For what does not depend on the database."""
    return Program(tmp_path, sqlite_url)


def test_a_shop_export_imports_as_it_is(program: Program, store: Store) -> None:
    path = program.write("shop.csv", SHOP)
    result = program.run(
        *("contacts", "import", path, "--json"),
        *("--map", "Last Purchase=last_opportunity", "--map", "Orders=attributes.orders"),
        *("--ignore", "Customer ID", "--ignore", "First Purchase", "--date-format", "%Y%m%d"),
    )
    assert result.exit_code == 0
    envelope = result.json
    assert envelope["status"] == "success"
    assert envelope["data"] == {
        "run": 1,
        "dry_run": False,
        "created": 2,
        "created_inactive": 0,
        "created_unsubscribed": 0,
        "updated": 0,
        "unchanged": 0,
        "left_active": 0,
        "rejected": 0,
        "groups_created": [],
        "columns_left_out": {},
        "rejects_file": None,
    }
    contact = contacts_in(store)["customer.00002@example.net"]
    assert str(contact["last_opportunity"]) == "1998-05-28"
    assert contact["attributes"] == {"orders": 12}


def test_a_dry_run_says_so(program: Program, store: Store) -> None:
    result = program.import_text("email\na@x.no\n", "--dry-run", "--json")
    assert result.json["data"]["created"] == 1
    assert result.json["data"]["dry_run"] is True
    assert result.json["data"]["run"] is None
    assert "nothing was changed" in result.stderr
    assert contacts_in(store) == {}


def test_rejected_rows_go_to_a_private_file_and_exit_5(program: Program) -> None:
    rejects = program.folder / "rejects.csv"
    result = program.import_text(
        'email,first_name\na@x.no,A\nbad,"=1+1"\nworse,\'=2\n', "--rejects", rejects, "--json"
    )
    assert result.exit_code == 5
    assert result.json["status"] == "partial"
    assert result.json["data"]["rejected"] == 2
    assert [error["message"][:7] for error in result.json["errors"]] == ["line 3:", "line 4:"]
    rows = list(csv.reader(StringIO(rejects.read_text())))
    assert rows[0] == ["line", "reason", "email", "first_name"]
    assert [rows[1][0], *rows[1][2:]] == ["3", "bad", "'=1+1"]
    assert [rows[2][0], *rows[2][2:]] == ["4", "worse", "'=2"]
    assert "name@domain" in rows[1][1]
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_corrected_rejects_can_be_imported(program: Program, store: Store) -> None:
    rejects = program.folder / "rejects.csv"
    program.import_text("email,first_name\na.x.no,=1\n", "--rejects", rejects)
    corrected = rejects.read_text().replace("a.x.no", "a@x.no")
    result = program.import_text(corrected, "--ignore", "line", "--ignore", "reason")
    assert result.exit_code == 0
    assert contacts_in(store)["a@x.no"]["first_name"] == "=1"


def test_without_a_rejects_file_the_first_are_told(sqlite_program: Program) -> None:
    rows = "".join(f"bad{number}\n" for number in range(8))
    result = sqlite_program.import_text(f"email\n{rows}")
    assert result.exit_code == 5
    assert "line 6: email" in result.stderr
    assert "line 7" not in result.stderr
    assert "warning: 3 more rejected\n" in result.stderr
    assert "--rejects FILE" in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--map", "first_name"], "has no '='"),
        (["--map", "a=phone", "--map", "a=company"], "names 'a' twice"),
        (["--delimiter", "ab"], "not one character"),
        (["--delimiter", '"'], "not one character"),
        (["--delimiter", "m"], "not one character"),
        (["--separator", "tag"], "has no '='"),
        (["--separator", "tag=x"], "'x' cannot separate names"),
        (["--separator", "company=,"], "only tag and group"),
        (["--inactive-when", "=x"], "no column"),
        (["--inactive-when", "Status="], "no value"),
        (["--preset", "mailchip"], "did you mean 'mailchimp'?"),
        (["--encoding", "klingon"], "unknown encoding"),
        (["--map", "email=updated"], "when a contact changes"),
        (["--rejects", "/nowhere/at/all.csv"], "cannot write /nowhere/at/all.csv"),
        (["--from", "xml"], "xml"),
    ],
)
def test_usage_errors_change_nothing(sqlite_program: Program, args: list[str], words: str) -> None:
    result = sqlite_program.import_text("email\na@x.no\n", *args)
    assert result.exit_code == 2
    assert words in result.stderr
    assert sqlite_program.run("contacts", "list", "--json").json["data"]["contacts"] == []


def test_a_file_that_is_not_there(sqlite_program: Program) -> None:
    result = sqlite_program.run("contacts", "import", "nothing.csv")
    assert result.exit_code == 2
    assert "cannot read nothing.csv" in result.stderr


def test_a_column_of_any_name_gives_a_field(program: Program, store: Store) -> None:
    result = program.import_text(
        "email,E=mc2,phone\na@x.no,Acme,555\n", "--map", "E=mc2=company", "--ignore", "phone"
    )

    assert result.exit_code == 0
    contact = contacts_in(store)["a@x.no"]
    assert (contact["company"], contact["phone"]) == ("Acme", None)


def test_delimiter_and_column_date_format(program: Program, store: Store) -> None:
    result = program.import_text(
        "email\tlast_opportunity\tattributes.renewal\na@x.no\t31.1.2024\t2025-01-01\n",
        *("--delimiter", "tab", "--date-format", "last_opportunity=%d.%m.%Y"),
    )
    assert result.exit_code == 0
    contact = contacts_in(store)["a@x.no"]
    assert str(contact["last_opportunity"]) == "2024-01-31"
    assert contact["attributes"] == {"renewal": "2025-01-01"}


FULL = """{"email": "Änne@bücher.example", "first_name": "=1+1", "last_name": "'t Hart; a|b",\
 "phone": "+47 22 33", "company": "'=x", "source": "a\\nb \\u001b[31m \\u202e",\
 "tag": ["vip", "=tag"], "group": ["news", "-minus"], "last_opportunity": "2024-01-31",\
 "last_emailed": "2024-01-31T10:00:00.123456Z", "last_opened": "2024-02-01",\
 "attributes": {"plan": "Free, \\"quoted\\"", "orders": -3.5, "vip": false,\
 "renewal": "2026-01-01", "tier": "gold"}}
{"email": "plain@x.no"}
"""


@pytest.mark.parametrize("output_format", ["csv", "jsonl"])
def test_an_export_can_be_imported_as_it_is(
    program: Program, store: Store, output_format: str, tmp_path: Path, sqlite_template: Path
) -> None:
    assert program.import_text(FULL).exit_code == 0
    exported = program.run("contacts", "export", "--format", output_format)
    assert exported.exit_code == 0
    again = program.import_text(exported.stdout, "--json").json["data"]
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)

    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "copy.db"
    copy.write_bytes(sqlite_template.read_bytes())
    elsewhere = Program(tmp_path / "elsewhere", f"sqlite:///{copy}")
    assert elsewhere.import_text(exported.stdout, "--json").json["data"]["created"] == 2
    copied = open_store(elsewhere.store_url)
    assert contacts_in(copied) == contacts_in(store)
    copied.close()


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


def test_filters_sort_and_limit(program: Program) -> None:
    program.import_text(
        "email,last_opportunity,group\na@x.no,2020-01-01,g\nb@x.no,2026-01-01,g\nc@x.no,,\n"
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
    ],
)
def test_filters_that_cannot_be_meant(
    sqlite_program: Program, command: str, args: list[str], words: str, exit_code: int
) -> None:
    sqlite_program.import_text("email,group\na@x.no,news\n")
    result = sqlite_program.run("contacts", command, *args)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert result.stdout == ""


def test_unknown_sort_fields_are_refused(sqlite_program: Program) -> None:
    result = sqlite_program.run("contacts", "list", "--sort", "emial")
    assert result.exit_code == 2
    assert "did you mean 'email'" in result.stderr


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


@pytest.mark.parametrize(
    "args",
    [
        ("contacts", "import", "-"),
        ("contacts", "add", "b@x.no"),
        ("groups", "create", "other"),
        ("groups", "add", "news", "a@x.no"),
    ],
)
def test_a_mistake_in_fields_is_told_before_anything_changes(
    sqlite_program: Program, args: tuple[str, ...]
) -> None:
    sqlite_program.run("contacts", "add", "a@x.no")
    sqlite_program.run("groups", "create", "news")
    result = sqlite_program.run(*args, "--fields", "runn", stdin="email\nb@x.no\n")
    assert result.exit_code == 2
    assert "did you mean 'run'?" in result.stderr
    assert len(sqlite_program.run("runs", "list", "--json").json["data"]["runs"]) == 2


def test_what_is_shown_are_the_fields_that_can_be_chosen(sqlite_program: Program) -> None:
    from contactctl.output.contacts import ADDED_FIELDS, IMPORT_FIELDS
    from contactctl.output.groups import CHANGE_FIELDS

    def keys(*args: str) -> tuple[str, ...]:
        return tuple(sqlite_program.run(*args, "--json", stdin="email\n").json["data"])

    assert keys("contacts", "import", "-") == IMPORT_FIELDS
    assert keys("contacts", "add", "a@x.no") == ADDED_FIELDS
    assert keys("groups", "create", "news") == CHANGE_FIELDS


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


def test_map_is_the_way_in_only_for_columns_that_have_one(sqlite_program: Program) -> None:
    told = sqlite_program.import_text("email,updated\na@x.no,2020-01-01\n").stderr
    assert "it is set when a contact changes" in told
    assert "--map" not in told
    assert "--map 'COLUMN=FIELD'" in sqlite_program.import_text("email,zzz\nb@x.no,1\n").stderr
