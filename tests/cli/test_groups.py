"""`contactctl groups ...` through the whole program."""

from pathlib import Path

import pytest

from helpers.cli import CliResult, run_cli


@pytest.fixture
def run(tmp_path: Path, store_url: str):
    def run_program(*args: object) -> CliResult:
        return run_cli(args, cwd=tmp_path, env={"CONTACTCTL_DATABASE_URL": store_url})

    return run_program


@pytest.mark.both_databases
def test_groups_and_their_members(run) -> None:
    run("contacts", "add", "a@x.no")
    created = run("groups", "create", "News", "--reason", "spring", "--json")
    assert created.json["data"] == {"group": "News", "contact": None, "changed": True, "run": 2}
    assert run("groups", "create", "NEWS").exit_code == 4
    added = run("groups", "add", "news", "a@x.no", "--json")
    assert added.json["data"] == {"group": "News", "contact": 1, "changed": True, "run": 3}
    assert "Already a member of" in run("groups", "add", "news", "1").stdout
    listed = run("groups", "list", "--json").json["data"]["groups"]
    assert [(group["name"], group["members"], group["active_members"]) for group in listed] == [
        ("News", 1, 1)
    ]
    assert run("groups", "remove", "news", "a@x.no").stdout.startswith("Removed from")
    unchanged = run("groups", "remove", "news", "a@x.no", "--json").json["data"]
    assert (unchanged["changed"], unchanged["run"]) == (False, None)
    assert run("contacts", "show", "a@x.no", "--json").json["data"]["groups"] == []


def test_mistakes_change_nothing(run) -> None:
    run("contacts", "add", "a@x.no")
    run("groups", "create", "news")
    for args, exit_code, words in [
        (("create", "a;b"), 2, "which separate names"),
        (("add", "nix", "a@x.no"), 1, "no group 'nix'"),
        (("add", "news", "b@x.no"), 1, "no contact 'b@x.no'"),
        (("remove", "new", "a@x.no"), 1, "did you mean 'news'?"),
        (("add", "news", "anna"), 2, "is not an email address"),
        (("add", "news", "a@x.no", "--reason", "x" * 1001), 2, "write at most 1,000"),
    ]:
        result = run("groups", *args)
        assert result.exit_code == exit_code, args
        assert words in result.stderr, args
        assert run("groups", "list", "--json").json["data"]["groups"][0]["members"] == 0, args
        assert len(run("runs", "list", "--json").json["data"]["runs"]) == 2, args


@pytest.mark.both_databases
def test_a_name_with_a_comma_is_written_in_quotes_in_criteria(run) -> None:
    hint = 'note: criteria name it in quotes: group = "a, b"\n'
    assert hint in run("groups", "create", "a, b").stderr
    run("groups", "create", "other")
    run("contacts", "add", "c@x.no", "--group", "a, b")
    for condition in ('group = "a, b"', 'group in "a, b",other'):
        found = run("preview", "--where", condition, "--json")
        assert found.json["data"]["count"] == 1
    assert "in quotes" in run("groups", "rename", "other", "c,d").stderr
    assert "in quotes" not in run("groups", "delete", "c,d").stderr


def test_a_store_without_groups(run) -> None:
    assert "(no groups)" in run("groups", "list").stdout
