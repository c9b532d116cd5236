"""`contactctl contacts import` through the whole program."""

import csv
import stat
from io import StringIO
from pathlib import Path

import pytest

from contactctl.store.database.store import Store, open_store
from helpers.imports import contacts_in
from helpers.program import Program

SHOP = """Customer ID,Email,First Purchase,Last Purchase,Orders
00001,Customer.00001@example.net,19970101,19970101,1
00002,Customer.00002@example.net,19970112,19980528,12
"""


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
        "left_inactive": 0,
        "kept_out": 0,
        "joined_inactive": 0,
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


def test_without_a_rejects_file_the_first_are_told(program: Program) -> None:
    rows = "".join(f"bad{number}\n" for number in range(8))
    result = program.import_text(f"email\n{rows}")
    assert result.exit_code == 5
    assert "line 6: email" in result.stderr
    assert "line 7" not in result.stderr
    assert "warning: 3 more rejected\n" in result.stderr
    assert "--rejects FILE" in result.stderr


def test_usage_errors_change_nothing(program: Program) -> None:
    for args, words in [
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
    ]:
        result = program.import_text("email\na@x.no\n", *args)
        assert result.exit_code == 2, args
        assert words in result.stderr, args
        assert program.run("contacts", "list", "--json").json["data"]["contacts"] == [], args


def test_a_file_that_is_not_there(program: Program) -> None:
    result = program.run("contacts", "import", "nothing.csv")
    assert result.exit_code == 2
    assert "cannot read nothing.csv" in result.stderr


@pytest.mark.both_databases
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
@pytest.mark.both_databases
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


def test_map_is_the_way_in_only_for_columns_that_have_one(program: Program) -> None:
    told = program.import_text("email,updated\na@x.no,2020-01-01\n").stderr
    assert "it is set when a contact changes" in told
    assert "--map" not in told
    assert "--map 'COLUMN=FIELD'" in program.import_text("email,zzz\nb@x.no,1\n").stderr
