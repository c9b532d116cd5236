"""Adding a kind of run: its name and its type in the domain, its work in the store."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import contactctl
from contactctl.store.database.store import open_store
from helpers.contacts import seed_contacts
from helpers.plans import active_ids

TESTS = Path(__file__).parents[1]
NAME = '    MARK = "mark"\n'
TYPE = '''

@run_type
class MarkRun(RunDetails):
    """Gives the contacts that criteria select a tag."""

    kind = RunKind.MARK
    verb = "mark"
    work = "contactctl.store.marking:MARKING"
    next_step = "Look at them: contactctl contacts list --where 'tag = TAG'"

    tag: str

    def in_words(self) -> str:
        return f"the tag {self.tag}"
'''
WORK = '''"""Runs that give contacts a tag."""

from sqlalchemy import insert, literal, select, true

from contactctl.domain.run_kinds import MarkRun
from contactctl.store import tables
from contactctl.store.plans import BatchWork, settle


def mark(step):
    name = literal(step.run.details_as(MarkRun).tag)
    columns = ["contact_id", "tag_folded", "tag"]
    chosen = step.contact_ids.add_columns(name, name)
    return step.do(insert(tables.contact_tag).from_select(columns, chosen))


MARKING = BatchWork(
    lambda step: settle(step, true()),
    mark,
    rights=[("INSERT", "contact_tag")],
)
'''
DRIVER = """
import json
import sys
from datetime import UTC, datetime
from contactctl.domain.run_kinds import MarkRun
from contactctl.operations.plans import write_confirmed_plan
from contactctl.store.criteria import active_where, where_clause
from contactctl.store.plans import plan_of
from contactctl.store.database.store import open_store
from helpers.cli import run_cli
from helpers.plans import NO_LIMITS, selection
from helpers.sessions import make_session

store = open_store(sys.argv[1])
session = make_session(store, limits=NO_LIMITS)
chosen = selection(session, "id <= 5")
where = where_clause(chosen.resolved, store.dialect)
write_confirmed_plan(
    session,
    session.request(MarkRun("vip", selected=chosen.kept()), reason="they buy"),
    plan_of(active_where(where)),
    None,
)


def contactctl(*args):
    done = run_cli([*args, "--database", sys.argv[1]])
    assert done.exit_code == 0, done.stderr
    return done.stdout


said = {
    "shown": contactctl("runs", "show", "1"),
    "applied": contactctl(
        "runs", "apply", "1", "--confirm", "5", "--limit-override", "5", "--json"
    ),
    "listed": contactctl("runs", "list", "--kind", "mark", "--json"),
    "again": contactctl("runs", "show", "1"),
    "tagged": contactctl("contacts", "list", "--where", "tag = vip", "--json"),
}
print(json.dumps(said))
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of the package in which these files are written."""
    package = tmp_path / "contactctl"
    shutil.copytree(Path(contactctl.__file__).parent, package)
    details, kinds = (package / "domain" / f"run_{room}.py" for room in ("details", "kinds"))
    names, last, rest = details.read_text().partition('    SUPPRESSIONS = "suppressions"\n')
    details.write_text(names + last + NAME + rest)
    kinds.write_text(kinds.read_text() + TYPE)
    (package / "store" / "marking.py").write_text(WORK)
    return tmp_path


def test_a_new_kind_is_planned_shown_applied_listed_and_told(
    scratch: Path, sqlite_url: str
) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, 8)

    paths = {"PYTHONPATH": os.pathsep.join(map(str, (scratch, TESTS)))}
    command = [sys.executable, "-c", DRIVER, sqlite_url]
    done = subprocess.run(
        command, check=False, cwd=scratch, env=os.environ | paths, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)

    assert "the tag vip" in said["shown"]
    assert "5 of 8 (62.5 %) to mark" in said["shown"]
    applied = json.loads(said["applied"])["data"]
    assert (applied["kind"], applied["state"], applied["changed"]) == ("mark", "done", 5)
    assert applied["details"]["tag"] == "vip"
    assert applied["details"]["lines"] == ["id <= 5"]
    assert [each["run"] for each in json.loads(said["listed"])["data"]["runs"]] == [1]
    assert "contactctl contacts list --where 'tag = TAG'" in said["again"]
    assert len(json.loads(said["tagged"])["data"]["contacts"]) == 5
    assert len(active_ids(store)) == 8
    store.close()
