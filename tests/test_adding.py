"""Adding a thing touches at most two files: each is added to a copy of the program, and used.

The table in docs/explanation/architecture.md names the same files; a test compares the two.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from contactctl.store.database.store import SCHEMA_VERSION
from helpers.adding import REPOSITORY, Addition, Copy, copy_with
from helpers.cli import run_cli

pytestmark = pytest.mark.long

NEXT_VERSION = f"{int(SCHEMA_VERSION) + 1:04}"
CONFIG = "database: sqlite:///contacts.db\nsuppression_key_file: suppression.key\n"

FIELD = Addition(
    edited={
        "domain/criteria/fields.py": [
            (
                '    Field("company", FieldType.TEXT, "company"),\n',
                '    Field("job_title", FieldType.TEXT, "what the contact does"),\n',
            )
        ],
        "store/models.py": [
            (
                "    company_folded: str | None = None\n",
                "    job_title: str | None = None\n    job_title_folded: str | None = None\n",
            )
        ],
    },
    new={
        f"store/migrations/versions/{NEXT_VERSION}_job_title.py": f'''"""What contacts do."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT_VERSION}"
down_revision = "{SCHEMA_VERSION}"


def upgrade() -> None:
    op.add_column("contact", sa.Column("job_title", sa.String()))
    op.add_column("contact", sa.Column("job_title_folded", sa.String()))
'''
    },
)
OPERATOR = Addition(
    edited={
        "domain/criteria/fields.py": [
            ('    BEFORE = "before"\n', '    SINCE = "since"\n'),
            (
                '    Operator.BEFORE: Usage(Takes.ONE, "DATE", "is before this"),\n',
                '    Operator.SINCE: Usage(Takes.ONE, "DATE", "is this or after it"),\n',
            ),
            ("    *(Operator.BEFORE, ", "Operator.SINCE, "),
        ],
        "domain/criteria/resolve.py": [
            (
                "        match condition.operator:\n            case Operator.BEFORE:\n"
                "                return Range(upper=start, upper_included=False)\n",
                "            case Operator.SINCE:\n                return Range(start)\n",
            ),
            ("        case Operator.AT_LEAST", " | Operator.SINCE"),
        ],
    }
)
COMMAND = Addition(
    edited={
        "cli/commands.txt": [
            (
                "contacts add | contacts | Add one contact.\n",
                "contacts number | numbers | Show a contact by number.\n",
            )
        ]
    },
    new={
        "cli/numbers.py": '''"""The command `contacts number`."""

from contactctl import operations
from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.output.view import KeyValues, Presentation


def number(invocation: StoreInvocation, contact: options.EmailOrId) -> Presentation:
    """Examples:
        contactctl contacts number ann@example.com
    """
    with invocation.open_session() as session:
        found = operations.contacts.contact_id_of(session, contact)
    return Presentation({"id": found}, blocks=[KeyValues([("Id", found)])])
'''
    },
)
OUTPUT_FORMAT = Addition(
    edited={
        "output/view.py": [('    CSV = "csv"\n', '    LINES = "lines"\n')],
        "output/formats.py": [
            (
                "VERSION = 1\n",
                """

def write_lines(presentation: view.Presentation, console: Console, command: str) -> None:
    for row in view.rows_or_single(presentation).items:
        console.stdout.write(f"{next(iter(row.values()))}\\n")
""",
            )
        ],
    },
)
PROVIDER = Addition(
    edited={"responses/formats/reader.py": [('"brevo"', ', "acme"')]},
    new={
        "responses/formats/acme.yaml": """about: Acme Mail
email: to
occurred_at: at
diagnostic: why
key: [uid]
event: what
events:
  bounced: text or invalid-address
  moaned: spam-complaint
documents:
  - when: to and what and at and uid
"""
    },
)
# a kind of run is added by tests/operations/test_new_kind.py
ADDITIONS = {
    "a field": FIELD,
    "an operator": OPERATOR,
    "a command": COMMAND,
    "an output format": OUTPUT_FORMAT,
    "a response provider": PROVIDER,
}


def data(done: dict[str, Any]) -> Any:
    """The data of a command that ended well, called with --json."""
    assert done["exit_code"] == 0, done["stdout"] + done["stderr"]
    return json.loads(done["stdout"])["data"]


def command(*args: str) -> list[str]:
    return [*args, "--json"]


def prepared(folder: Path, addition: Addition) -> Copy:
    """The copy, with a config of its own."""
    copy = copy_with(folder, addition)
    (folder / "contactctl.yaml").write_text(CONFIG)
    return copy


def test_a_field(tmp_path: Path) -> None:
    copy = prepared(tmp_path, FIELD)
    for before in (["init"], ["contacts", "add", "old@example.com"]):
        assert run_cli(before, cwd=tmp_path).exit_code == 0
    copy.write_tables()
    rows = "email,job title\nbo@example.com,Übersetzer\ncy@example.com,of Ann@example.com\n"
    (copy.folder / "more.csv").write_text(rows, encoding="utf-8")

    by_email = ("contacts", "anonymize", "ann@example.com", "--confirm", "ann@example.com")
    missing = ("--where", "job_title missing", "--fields", "email")
    upgraded, added, imported, again, listed, exported, erased, shown, anonymous = copy.run(
        command("db", "upgrade"),
        command("contacts", "add", "ann@example.com", "--job-title", "Boss"),
        command("contacts", "import", "more.csv"),
        command("contacts", "import", "more.csv"),
        command("contacts", "list", "--where", "job_title = ÜBERSETZER"),
        ["contacts", "export"],
        command(*by_email),
        command("contacts", "show", "cy@example.com"),
        command("contacts", "list", *missing),
    )
    assert data(upgraded)["after"] == NEXT_VERSION
    assert data(added)["email"] == "ann@example.com"
    assert data(imported)["created"] == 2
    assert data(again)["unchanged"] == 2
    [found] = data(listed)["contacts"]
    assert (found["email"], found["job_title"]) == ("bo@example.com", "Übersetzer")
    assert "job_title" in exported["stdout"].splitlines()[0]

    assert data(erased)["id"]
    assert data(shown)["job_title"] == "of [erased]"
    emails = [each["email"] for each in data(anonymous)["contacts"]]
    assert "old@example.com" in emails
    assert any(email.startswith("erased-") for email in emails)


def test_an_operator_a_command_and_an_output_format(tmp_path: Path) -> None:
    edited = {**OPERATOR.edited, **COMMAND.edited, **OUTPUT_FORMAT.edited}
    copy = prepared(tmp_path, Addition(edited, {**COMMAND.new, **OUTPUT_FORMAT.new}))
    add = ("contacts", "add")
    *_, listed, number, lines, helped = copy.run(
        command("init"),
        command(*add, "a@example.com", "--last-opportunity", "2024-05-30"),
        command(*add, "b@example.com", "--last-opportunity", "2024-05-31"),
        command(*add, "c@example.com"),
        command("contacts", "list", "--where", "last_opportunity since 2024-05-31"),
        command("contacts", "number", "b@example.com"),
        ["contacts", "list", "--format", "lines", "--fields", "email"],
        ["contacts", "number", "--help"],
    )
    assert [each["email"] for each in data(listed)["contacts"]] == ["b@example.com"]
    assert data(number) == {"id": 2}
    assert lines["stdout"].split() == ["a@example.com", "b@example.com", "c@example.com"]
    assert "Show a contact by number." in helped["stdout"]


def test_a_response_provider(tmp_path: Path) -> None:
    copy = prepared(tmp_path, PROVIDER)
    event = {"to": "ann@example.com", "at": "2026-06-01T10:00:00Z", "uid": "7", "what": "moaned"}
    (tmp_path / "detected.jsonl").write_text(json.dumps(event) + "\n")
    (tmp_path / "named.jsonl").write_text(json.dumps(event | {"uid": "8", "what": "bounced"}))
    _, _, detected, named, listed = copy.run(
        command("init"),
        command("contacts", "add", "ann@example.com"),
        command("responses", "ingest", "detected.jsonl"),
        command("responses", "ingest", "named.jsonl", "--from", "acme"),
        command("responses", "list"),
    )
    assert (data(detected)["recorded"], data(named)["recorded"]) == (1, 1)
    found = {each["category"] for each in data(listed)["responses"]}
    assert found == {"spam-complaint", "invalid-address"}


@pytest.mark.parametrize("name", ADDITIONS)
def test_it_touches_what_the_documentation_says(name: str) -> None:
    page = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)
    addition = ADDITIONS[name]
    migrations = [path for path in addition.new if "/migrations/" in path]
    touched = {*addition.edited, *addition.new} - {*migrations}

    assert len(touched) <= 2
    assert ("migration" in row) == bool(migrations)
    for path in addition.edited:
        assert f"`{path}`" in row
    for path in addition.new.keys() - {*migrations}:
        assert f"`{Path(path).parent}/`" in row
