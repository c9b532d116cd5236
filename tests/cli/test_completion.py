"""What a shell gets to complete with, from the real program."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pexpect
import pytest

from contactctl.cli.candidates import _PERIODS, conditions, group_names
from contactctl.domain.criteria.fields import OPERATORS, FieldType
from contactctl.store import completion as names
from helpers.cli import run_cli
from helpers.warm_python import folder_of_contactctl, warm_python


def completed(words: str, cwd: Path) -> list[str]:
    """Candidates for the last of `words`; a blank at the end means a new word."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
    completion = {
        "_CONTACTCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": f"contactctl {words}",
        "COMP_CWORD": str(words.count(" ") + 1),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [warm_python(), "-m", "contactctl"],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environ, **completion, "XDG_DATA_HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)},
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder whose config names a store with groups and runs."""
    (tmp_path / "contactctl.yaml").write_text(
        "database: sqlite:///crm.db\nattributes: {plan: text}\n"
    )
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        connection.execute('CREATE TABLE "group" (name TEXT)')
        connection.executemany(
            'INSERT INTO "group" VALUES (?)', [("news",), ("new-users",), ("new $(reboot)",)]
        )
        connection.execute("CREATE TABLE run (id INTEGER)")
        connection.executemany("INSERT INTO run VALUES (?)", [(1,), (12,)])
        connection.commit()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("comp", ["completion"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("config ", ["show", "path", "check"]),
        ("preview --fields email,last_op", ["email,last_opportunity", "email,last_opened"]),
        ("contacts list --fields attributes.", ["attributes.plan"]),
        ("runs list --fields ema", []),
        ("responses ingest --from send", ["sendgrid", "sendpulse", "sendy"]),
        ("fields --format js", ["json", "jsonl"]),
        ("preview --where last_op", ["last_opportunity", "last_opened"]),
        ("runs show ", ["12", "1"]),
        ("runs list --state ru", ["running"]),
        ("runs list --kind un", ["undo", "untag"]),
        ("responses list --category b", ["blocked"]),
    ],
)
def test_words_are_completed(store: Path, words: str, expected: list[str]) -> None:
    assert completed(words, store) == expected


def test_a_group_whose_name_a_shell_would_run_is_not_offered(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(store)
    context = SimpleNamespace(params={})

    assert group_names(context, "ne") == ["new-users", "news"]


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("last_op", ["last_opened", "last_opportunity"]),
        (
            "attributes.pl",
            [f"attributes.plan {each}" for each in OPERATORS[FieldType.TEXT] if "!" not in each],
        ),
        ("last_opportunity older", [f"last_opportunity older-than {each}" for each in _PERIODS]),
        ("last_opportunity mis", ["last_opportunity missing"]),
        ("attributes.plan starts", ["attributes.plan starts-with"]),
        ("status = a", ["status = active"]),
        ("group = ne", ["group = new-users", "group = news"]),
        ("deactivation_category = spam", ["deactivation_category = spam-complaint"]),
        ("nosuchfield =", []),
    ],
)
def test_inside_quotes_operators_and_values_follow(
    store: Path, monkeypatch: pytest.MonkeyPatch, written: str, offered: list[str]
) -> None:
    monkeypatch.chdir(store)

    assert sorted(conditions(SimpleNamespace(params={}), written)) == sorted(offered)


def test_groups_and_runs_of_a_postgres_store(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_WAIT_S", 30)
    run_cli(["groups", "create", "news"], env={"CONTACTCTL_DATABASE_URL": postgres_url})

    assert names.group_names(postgres_url) == ["news"]
    assert names.run_numbers(postgres_url) == ["1"]


def test_a_server_that_is_not_there_gives_nothing(tmp_path: Path) -> None:
    assert names.group_names(f"postgresql://nobody@/none?host={tmp_path}") == []


def test_a_store_that_is_not_there_gives_nothing_and_is_not_created(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("database: sqlite:///crm.db\n")

    assert completed("runs show ", tmp_path) == []
    assert not (tmp_path / "crm.db").exists()


def test_a_broken_config_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("databse: x\n")

    assert completed("preview --where last", tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_understands(shell: str, tmp_path: Path) -> None:
    script = run_cli(["completion", shell])
    assert script.exit_code == 0
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    file = tmp_path / "script"
    file.write_text(script.stdout)

    subprocess.run([shell, "-n", str(file)], check=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("contacts list --fields = email,first_", ["email,first_name"]),
        ("responses ingest --from = send", ["sendgrid", "sendpulse", "sendy"]),
        ("contacts list --fields = email --where 'last_op", ["last_opportunity", "last_opened"]),
        (
            "preview --where 'last_opportunity old",
            [f"last_opportunity older-than {each}" for each in _PERIODS],
        ),
    ],
)
def test_bash_completes_what_it_has_cut_at_equals_signs(
    words: str, expected: list[str], store: Path
) -> None:
    """The words as bash hands them over; what is open in a quote is one of them."""
    first, quote, rest = words.partition("'")
    script = """
    eval "$(contactctl completion bash)"
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _contactctl; printf '%s\\n' "${COMPREPLY[@]}"
    """
    told = ["contactctl", *first.split(), *([quote + rest] if quote else [])]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
    path = f"{folder_of_contactctl()}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script, "bash", *told],
        capture_output=True,
        text=True,
        cwd=store,
        env={**environ, "PATH": path},
        check=True,
    )
    assert done.stdout.splitlines() == expected


def test_only_who_looks_at_the_script_is_told_where_it_goes() -> None:
    assert run_cli(["completion", "bash"]).stderr == ""
    assert "~/.bashrc" in run_cli(["completion", "bash"], tty=True).stderr


def test_a_missing_shell_is_told_on_one_line_with_the_choices() -> None:
    said = run_cli(["completion"]).stderr.splitlines()[0]
    assert said == "error: missing argument 'SHELL'. Choose from: bash, zsh, fish"


@pytest.mark.parametrize(
    ("shell", "loaded"),
    [
        ("zsh", "compinit -u; source _contactctl"),
        ("zsh", "fpath=($PWD $fpath); compinit -u"),  # as the wheel installs it
        ("fish", "source _contactctl"),
    ],
)
def test_a_value_behind_an_equals_sign_is_completed_in_the_shell(
    shell: str, loaded: str, tmp_path: Path, store: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    begun = "contactctl contacts list --fields=email,first_"
    environ = {**os.environ, "PATH": f"{folder_of_contactctl()}:{os.environ['PATH']}"}
    environ |= {"HOME": str(tmp_path), "TERM": "xterm"}
    (tmp_path / "_contactctl").write_text(run_cli(["completion", shell]).stdout)
    if shell == "fish":
        args = ["fish", "--no-config", "-c", f"{loaded}; complete -C '{begun}'"]
        done = subprocess.run(
            args, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["--fields=email,first_name"]
        return
    child = pexpect.spawn("zsh", ["-f", "-i"], env=environ, cwd=tmp_path, encoding="utf-8")
    child.sendline(
        f"PROMPT=; autoload -Uz compinit; {loaded}; "
        "show() { zle -I; print -r -- \"<$BUFFER>\" }; zle -N show; bindkey ^X show; echo re''ady"
    )
    child.expect("ready\r")
    child.send(f"{begun}\t\x18")
    child.expect_exact("<contactctl contacts list --fields=email,first_name >", timeout=60)
    child.close(force=True)
