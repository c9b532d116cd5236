"""Exports that come in again, presets to be copied, lists of addresses, and bytes of output."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from contactctl.store.database.migrate import create_store
from contactctl.store.database.store import Store, open_store
from helpers.cli import CliResult, run_cli
from helpers.imports import contacts_in, import_text
from helpers.warm_python import warm_python

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTCTL_")}
ENVIRON["PYTHONPATH"] = str(Path(__file__).parents[2])

Run = Callable[..., CliResult]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str) -> Run:
    """The command line on one SQLite store, in a folder of its own."""

    def run_it(*args: object, stdin: str = "", url: str = sqlite_url) -> CliResult:
        env = {
            "CONTACTCTL_DATABASE_URL": url,
            "CONTACTCTL_SUPPRESSION_KEY_FILE": str(tmp_path / "k"),
        }
        return run_cli(args, cwd=tmp_path, stdin=stdin, env=env)

    return run_it


FULL = (
    "email,first_name,group,created,status,deactivated,deactivation_category,group_active,"
    "group_inactive\n"
    "a@x.no,Ann,news;eu,2020-01-02T03:04:05Z,inactive,2024-02-03T04:05:06Z,spam-complaint,news,\n"
    "b@x.no,Bo,eu,2020-01-02T03:04:05Z,active,,,,eu\n"
    "c@x.no,Cy,eu,2020-01-02T03:04:05Z,active,,,,\n"
)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_full_export_makes_the_same_contacts_elsewhere(
    run: Run, tmp_path: Path, form: str
) -> None:
    assert run("contacts", "import", "-", stdin=FULL).exit_code == 0
    exported = run("contacts", "export", "--full", "--format", form).stdout
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    create_store(elsewhere).close()
    done = run("contacts", "import", "-", "--json", stdin=exported, url=elsewhere)
    assert list(done.json["data"]["columns_left_out"]) == ["external_id"]
    assert done.json["data"]["created_inactive"] == 1
    assert run("contacts", "export", "--full", "--format", form, url=elsewhere).stdout == exported


def test_an_export_for_a_spreadsheet_is_imported_again(run: Run) -> None:
    text = "email,last_name,tag\na@x.no,Mü;ller,a\n"
    assert run("contacts", "import", "-", stdin=text).exit_code == 0
    asked = ("--delimiter", ";", "--bom", "--fields", "email,last_name,tag")
    written = run("contacts", "export", *asked).stdout
    assert written == '\ufeffemail;last_name;tag\r\na@x.no;"Mü;ller";a\r\n'
    again = run("contacts", "import", "-", "--json", stdin=written)
    assert again.json["data"]["unchanged"] == 1
    for wrong in (["--bom", "--json"], ["--delimiter", ";;"]):
        assert run("contacts", "export", *wrong).exit_code == 2


def test_an_export_without_the_status_says_so(run: Run) -> None:
    run("contacts", "import", "-", stdin=FULL)
    assert "an import of this makes everybody active" in run("contacts", "export").stderr
    for options in (["--full"], ["--deliverable"], ["--fields", "email"], ["--quiet"]):
        assert "everybody active" not in run("contacts", "export", *options).stderr


def test_who_is_active_here_and_inactive_there_is_told(run: Run) -> None:
    run("contacts", "import", "-", stdin="email\na@x.no\n")
    told = run("contacts", "import", "-", stdin='{"email": "a@x.no", "status": "inactive"}\n')
    assert "status not changed by 1 row (line 1) with inactive" in told.stderr


def test_rules_and_reasons_are_read_from_the_command_line(run: Run) -> None:
    content = "email,Status,State\na@x.no,cleaned,NO\nb@x.no,ok,SE\n"
    result = run(
        *("contacts", "import", "-", "--inactive-when", "Status=cleaned", "--json"),
        *("--as-inactive", "invalid-address"),
        stdin=content,
    )
    assert result.json["data"]["created_inactive"] == 1
    listed = run("contacts", "list", "--fields", "email,deactivation_category", "--json").json
    assert [each["deactivation_category"] for each in listed["data"]["contacts"]] == [
        ["invalid-address"],
        [],
    ]
    asked = run(
        *("contacts", "import", "-", "--as-inactive", "asked by telephone", "--json"),
        stdin="email\nc@x.no\n",
    )
    shown = run("runs", "show", asked.json["data"]["run"], "--json").json["data"]
    assert "asked by telephone" in str(shown)


def test_presets_are_listed_and_printed_to_be_copied(run: Run, tmp_path: Path) -> None:
    names = [each["name"] for each in run("contacts", "presets", "--json").json["data"]["presets"]]
    assert {"mailchimp", "hubspot", "klaviyo", "listmonk", "mautic", "phplist"} < set(names)
    printed = run("contacts", "presets", "phplist").stdout
    assert yaml.safe_load(printed)["columns"]["email"] == "email"
    (tmp_path / "ours.yaml").write_text(printed)
    content = "email,blacklisted\na@x.no,1\n"
    done = run("contacts", "import", "-", "--preset", "ours.yaml", "--json", stdin=content)
    assert done.json["data"]["created_inactive"] == 1
    assert run("contacts", "presets", "phplst").exit_code == 2


LISTS = {
    "plain": ("a@x.no\nB@x.no\n\nnot one\n", []),
    "mailgun": ("address,code,error\na@x.no,550,gone\nb@x.no,550,gone\nnot one,1,\n", []),
    "postmark": ("EmailAddress,Origin\na@x.no,R\nb@x.no,R\nnot one,\n", []),
    "named": ("id;who\n1;a@x.no\n2;b@x.no\n3;not one\n", ["--column", "Who"]),
}


@pytest.mark.parametrize("content", LISTS.values(), ids=LISTS)
def test_a_list_of_addresses_is_kept_out(run: Run, content: tuple[str, list[str]]) -> None:
    text, options = content
    result = run("suppressions", "import", "-", *options, "--json", stdin=text)
    assert result.exit_code == 5
    counts = {name: result.json["data"][name] for name in ("suppressed", "unchanged", "rejected")}
    assert counts == {"suppressed": 2, "unchanged": 0, "rejected": 1}
    assert "not one" not in result.stderr or "line" in result.stderr
    again = run("suppressions", "import", "-", *options, "--json", stdin=text).json["data"]
    assert (again["suppressed"], again["unchanged"]) == (0, 2)
    rejected = run("contacts", "import", "-", "--json", stdin="email\nA@x.no\nc@x.no\n")
    assert rejected.json["data"]["rejected"] == 1
    assert run("suppressions", "check", "b@x.no", "--json").json["data"]["suppressed"]


def test_addresses_of_contacts_are_rejected_from_a_list(run: Run) -> None:
    run("contacts", "import", "-", stdin="email\na@x.no\n")
    result = run("suppressions", "import", "-", stdin="a@x.no\nb@x.no\n")
    assert result.exit_code == 5
    assert "line 1: a contact has this address" in result.stderr


@pytest.mark.parametrize("digest", ["sha256", "md5"])
def test_a_list_of_hashes_is_kept_out(run: Run, digest: str) -> None:
    hashes = [hashlib.new(digest, key.encode()).hexdigest() for key in ("a@x.no", "there@x.no")]
    run("contacts", "import", "-", stdin="email\nthere@x.no\n")
    text = "\n".join([hashes[0].upper(), hashes[1], "abc"])
    result = run("suppressions", "import", "-", f"--{digest}", "--json", stdin=text)
    assert result.json["data"]["suppressed"] == 2
    assert result.json["data"]["contacts"] == 1
    assert result.exit_code == 5
    other = {"sha256": "md5", "md5": "sha256"}[digest]
    mistaken = run("suppressions", "import", "-", f"--{other}", stdin=text)
    assert mistaken.exit_code == 2
    assert f"hint: --{digest} is for a file of such hashes" in mistaken.stderr
    created = run("contacts", "import", "-", "--json", stdin="email\nA@x.no\nb@x.no\n")
    assert created.json["data"]["created"] == 1
    assert run("suppressions", "rotate-key").exit_code in (0, 3)
    assert run("suppressions", "remove", "a@x.no", "--confirm", "a@x.no").exit_code == 0
    assert not run("suppressions", "check", "a@x.no", "--json").json["data"]["suppressed"]


def test_a_list_without_addresses_is_refused(run: Run) -> None:
    result = run("suppressions", "import", "-", stdin="who,what\nx,y\n")
    assert result.exit_code == 2
    assert "name it with --column; columns: who, what" in result.stderr


def test_a_whole_domain_is_kept_out(run: Run) -> None:
    run("contacts", "import", "-", stdin="email\nthere@spam.example\n")
    added = run("suppressions", "add", "@SPAM.example", "--confirm", "@spam.example")
    assert added.exit_code == 0
    assert "1 contact of this domain stays" in added.stderr
    done = run("contacts", "import", "-", "--json", stdin="email\nx@Spam.example\ny@x.no\n")
    assert (done.json["data"]["created"], done.json["data"]["rejected"]) == (1, 1)
    assert run("contacts", "import", "-", stdin="email\nx@sub.spam.example\n").exit_code == 0
    refused = run("suppressions", "remove", "x@spam.example", "--confirm", "x@spam.example")
    assert refused.exit_code == 4
    assert "suppressions remove @spam.example" in refused.stderr
    assert (
        run("suppressions", "remove", "@spam.example", "--confirm", "@spam.example").exit_code == 0
    )
    assert run("contacts", "import", "-", stdin="email\nx@spam.example\n").exit_code == 0


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_data_is_utf_8_whatever_the_locale(
    sqlite_url: str, tmp_path: Path, form: str, encoding: str
) -> None:
    store: Store = open_store(sqlite_url)
    import_text(store, "email,company\nkåre@example.com,Łódź „x“ 💥\n")
    assert contacts_in(store)["kåre@example.com"]["company"] == "Łódź „x“ 💥"
    store.close()
    done = subprocess.run(
        [warm_python(), "-m", "contactctl", "contacts", "list", "--format", form],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={**ENVIRON, "PYTHONIOENCODING": encoding, "CONTACTCTL_DATABASE_URL": sqlite_url},
    )
    assert "Łódź „x“ 💥" in done.stdout.decode()
    assert b"\\u" not in done.stdout


def test_all_rows_are_given_tags_and_groups_besides_their_own(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("email,tag,group,group_inactive\na@x.no,old,eu,\nb@x.no,,,news\n,,,\n")
    given = ("--tag", "Fair 2026", "--tag", "OLD", "--group", "News")
    for changed, options in ((2, ("--dry-run",)), (2, ()), (0, ())):
        result = run("contacts", "import", rows, *given, *options, "--json").json["data"]
        assert result["created"] + result["updated"] == changed
    fields = ("--fields", "email,tag,group", "--json")
    one, two = run("contacts", "list", *fields).json["data"]["contacts"]
    assert (one["tag"], one["group"]) == (["Fair 2026", "old"], ["eu", "News"])
    assert (two["tag"], two["group"]) == (["Fair 2026", "OLD"], ["News"])
    members = run("groups", "members", "news", "--json").json["data"]["members"]
    assert [each["state"] for each in members] == ["follows", "inactive"]
    for wrong in (" ", "a;b", "x" * 101):
        assert run("contacts", "import", rows, "--group", wrong).exit_code == 2
    refused = run("contacts", "import", rows, "--group", "new", "--no-create-groups")
    assert (refused.exit_code, "there is no group 'new'" in refused.stderr) == (2, True)
