"""Every hint of an import leads out: what it says is done, and the error is gone."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.cli import CliResult, run_cli

CONFIG = "time_zone: Europe/Oslo\nattributes: {plan: text}\n"


@pytest.fixture
def program(tmp_path: Path, sqlite_url: str) -> Callable[..., CliResult]:
    """The import of a file's content, with some options."""
    (tmp_path / "contactctl.yaml").write_text(CONFIG)
    file = tmp_path / "file.csv"

    def run(content: str | bytes, *options: str) -> CliResult:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        env = {"CONTACTCTL_DATABASE_URL": sqlite_url}
        return run_cli(["contacts", "import", str(file), *options], cwd=tmp_path, env=env)

    return run


def hinted(stderr: str) -> list[list[str]]:
    """The options that hints and reasons name, each with its value, in their order."""
    option = r"""--[a-z-]+ (?:'[^']*'|"[^"]*"|[^ ,;)\n'"])+"""
    return [shlex.split(words) for words in re.findall(option, stderr)]


def first(stderr: str) -> list[str]:
    return hinted(stderr)[0]


def all_of(flag: str) -> Callable[[str], list[str]]:
    """Every option of that name which is hinted at."""
    return lambda stderr: [word for each in hinted(stderr) if each[0] == flag for word in each]


def filled_in(flag: str, value: str) -> Callable[[str], list[str]]:
    """The hinted option, its placeholder filled in."""

    def follow(stderr: str) -> list[str]:
        option = next(each for each in hinted(stderr) if each[0] == flag)
        return [flag, re.sub(r"VALUE,VALUE|VALUE|FIELD|COLUMN", value, option[1])]

    return follow


FAILING: list[tuple[str, str | bytes, list[str], Callable[[str], list[str]]]] = [
    ("no email column", "E-mail of theirs,first_name\na@x.no,A\n", [], first),
    ("no email column, nothing like it", "who\na@x.no\n", [], filled_in("--map", "who")),
    ("another program's header", "Email Address,LEID,EUID,TAGS\na@x.no,1,2,\n", [], first),
    ("several delimiters", "email,a;b\na@x.no,1\n", [], lambda _: ["--delimiter", ","]),
    ("a column twice", "email,phone,phone\na@x.no,1,2\n", [], first),
    (
        "a column twice, the second one wanted",
        "email,phone,phone\na@x.no,1,2\n",
        [],
        lambda stderr: [*hinted(stderr)[1], *hinted(stderr)[2]],
    ),
    (
        "a column thrice",
        "email,phone,phone,phone\na@x.no,1,2,3\n",
        [],
        lambda stderr: [*hinted(stderr)[0], *hinted(stderr)[1]],
    ),
    ("a field twice", "email,first name,first_name\na@x.no,1,2\n", [], first),
    ("a mistyped column", "email,frist_name\na@x.no,A\n", [], filled_in("--map", "first_name")),
    ("a mistyped column, ignored", "email,frist_name\na@x.no,A\n", [], all_of("--ignore")),
    ("a quote in a name", "email,frist'name\na@x.no,A\n", [], all_of("--ignore")),
    ("a control character", "email,attributes.a\x07b\na@x.no,A\n", [], all_of("--ignore")),
    ("an attribute not declared", "email,attributes.pln\na@x.no,A\n", [], all_of("--ignore")),
    ("consent", "email,Consent\na@x.no,yes\n", [], filled_in("--inactive-when", "no")),
    ("consent, left out", "email,Consent,Opt in\na@x.no,y,n\n", [], all_of("--ignore")),
    ("a status of theirs", "email,status\na@x.no,gone\n", [], filled_in("--inactive-when", "gone")),
    (
        "a preset knows",
        "id,email,confirmed,blacklisted,entered\n5,a@x.no,1,0,2019-01-01 10:00:00\n",
        [],
        first,
    ),
    ("another encoding", "email,first_name\na@x.no,Åse\n".encode("cp1252"), [], first),
    ("bytes cp1252 lacks", b"email,first_name\na@x.no,\x81\n", ["--encoding", "cp1252"], first),
    ("UTF-16", "email\na@x.no\n".encode("utf-16"), [], first),
    ("a date format without codes", "email\na@x.no\n", ["--date-format", "dd.mm.yy"],
     lambda stderr: ["--date-format", re.findall(r"write (\S+)", stderr)[0]]),
    ("a date of Excel", "email,last_opportunity\na@x.no,42675\n", [], first),
    ("a date of Unix", "email,last_opened\na@x.no,1477958400\n", [], first),
    ("a date of zeros", "email,last_opportunity\na@x.no,0000-00-00\n", [], first),
    ("a null word", "email,last_opportunity\na@x.no,NULL\n", [], first),
    ("a comma in a tag, two names", 'email,tag\na@x.no,"vip,oslo"\n', [], first),
    ("a comma in a tag, one name", 'email,tag\na@x.no,"vip,oslo"\n', [], lambda s: hinted(s)[1]),
    ("a quote in a tag", 'email,tag\na@x.no,"""vip"""\n', [], first),
    ("a comma in a group", 'email,group\na@x.no,"vip,oslo"\n', [], first),
    ("a column that is not there", "email,x\na@x.no,1\n", ["--ignore", "y"], lambda _: []),
    ("a mistyped preset", "email\na@x.no\n", ["--preset", "phplst"],
     lambda s: ["--preset", re.findall(r"did you mean '(\w+)'", s)[0]]),
]  # fmt: skip

REPLACES = {"--encoding", "--date-format", "--preset"}  # the option is given anew, not once more


@pytest.mark.parametrize(
    ("content", "options", "follow"),
    [each[1:] for each in FAILING],
    ids=[each[0] for each in FAILING],
)
def test_following_a_hint_leads_out(
    program: Callable[..., CliResult],
    sqlite_url: str,
    content: str | bytes,
    options: list[str],
    follow: Callable[[str], list[str]],
) -> None:
    failed = program(content, *options)
    assert failed.exit_code in (2, 5)
    said = follow(failed.stderr)
    kept = options if said and said[0] not in REPLACES else []
    done = program(content, *kept, *said)
    assert done.exit_code == 0, (said, done.stderr)


def test_a_hint_to_leave_a_column_out_is_followed_to_the_end(
    program: Callable[..., CliResult],
) -> None:
    """Each error names the next one, until there is none."""
    content = "email,phone,phone,frist_name,Consent\na@x.no,1,2,A,yes\n"
    options: list[str] = []
    for _ in range(6):
        result = program(content, *options)
        if result.exit_code == 0:
            break
        options += all_of("--ignore")(result.stderr)[:2]
    assert result.exit_code == 0
    assert len(options) == 6
