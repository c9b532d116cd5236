"""Adding a kind of run touches two files: its type in the domain, its work in the store."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import contactctl
from contactctl.store.store import open_store
from helpers.contacts import seed_contacts
from helpers.plans import active_ids

TESTS = Path(__file__).parents[1]
NAME = '    TAG = "tag"\n'
TYPE = '''

@run_type
@dataclass(frozen=True, slots=True)
class TagRun(RunDetails):
    """Gives the contacts that criteria select a tag."""

    kind = RunKind.TAG
    verb = "tag"
    work = "contactctl.store.tagging:TAGGING"
    next_step = "Look at them: contactctl contacts list --where 'tag = TAG'"

    tag: str

    def in_words(self) -> str:
        return f"the tag {self.tag}"
'''
WORK = '''"""Runs that give contacts a tag."""

from sqlalchemy import insert, literal, select, true

from contactctl.domain.run_kinds import TagRun
from contactctl.store import tables
from contactctl.store.plans import BatchWork, in_batch, settle

_item = tables.plan_item


def tag(connection, run, batch, now):
    name = literal(run.details_as(TagRun).tag)
    chosen = select(_item.c.contact_id, name, name).where(in_batch(run.id, batch))
    columns = ["contact_id", "tag_folded", "tag"]
    statement = insert(tables.contact_tag).from_select(columns, chosen)
    return connection.execute(statement).rowcount


TAGGING = BatchWork(
    lambda connection, run, batch: settle(connection, run, batch, true()), tag
)
'''
PLANNING = """
import sys
from datetime import UTC, datetime
from contactctl.domain.run_kinds import TagRun
from contactctl.operations.plans import unless_confirmed, write_plan
from contactctl.store.criteria_sql import where_clause
from contactctl.store.plans import plan_active
from contactctl.store.store import open_store
from helpers.plans import NO_LIMITS, selection
from helpers.sessions import make_session

session = make_session(open_store(sys.argv[1]), now=datetime.now(UTC), limits=NO_LIMITS)
chosen = selection(session, "id <= 5")
where = where_clause(chosen.resolved, session.store.dialect)
write_plan(
    session,
    session.request(TagRun("vip", selected=chosen.kept()), reason="they buy"),
    lambda connection, run_id: plan_active(connection, run_id, where),
    unless_confirmed(session, None),
)
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of the package in which the two files are written."""
    package = tmp_path / "contactctl"
    shutil.copytree(Path(contactctl.__file__).parent, package)
    kinds = package / "domain" / "run_kinds.py"
    names, last, rest = kinds.read_text().partition('    SUPPRESSIONS = "suppressions"\n')
    kinds.write_text(names + last + NAME + rest + TYPE)
    (package / "store" / "tagging.py").write_text(WORK)
    return tmp_path


def test_a_new_kind_is_planned_shown_applied_listed_and_told(
    scratch: Path, sqlite_url: str
) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, 8)

    def run(*args: str) -> str:
        paths = {"PYTHONPATH": os.pathsep.join(map(str, (scratch, TESTS)))}
        command = [sys.executable, *args]
        done = subprocess.run(
            command, check=False, cwd=scratch, env=os.environ | paths, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def shown_by(*args: str) -> str:
        return run("-m", "contactctl", *args, "--database", sqlite_url)

    run("-c", PLANNING, sqlite_url)
    shown = shown_by("runs", "show", "1")
    applied = json.loads(
        shown_by("runs", "apply", "1", "--confirm", "5", "--limit-override", "5", "--json")
    )["data"]
    listed = json.loads(shown_by("runs", "list", "--kind", "tag", "--json"))["data"]
    again = shown_by("runs", "show", "1")

    assert "the tag vip" in shown
    assert "5 of 8 (62.5 %) to tag" in shown
    assert (applied["kind"], applied["state"], applied["changed"]) == ("tag", "done", 5)
    assert applied["details"]["tag"] == "vip"
    assert applied["details"]["lines"] == ["id <= 5"]
    assert [each["run"] for each in listed["runs"]] == [1]
    assert "contactctl contacts list --where 'tag = TAG'" in again
    tagged = json.loads(shown_by("contacts", "list", "--where", "tag = vip", "--json"))["data"]
    assert len(tagged["contacts"]) == 5
    assert len(active_ids(store)) == 8
    store.close()
