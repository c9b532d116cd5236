"""Typed confirmations: in memory, and at a real terminal."""

import os
from pathlib import Path

import pexpect
import pytest

from contactctl.cli.confirmation import ask_typed, count_spellings
from contactctl.domain.errors import RefusedError
from helpers.consoles import memory_console
from helpers.warm_python import warm_python

PROGRAM = """
import sys
from contactctl.cli import main as run, registry
from contactctl.cli.context import Invocation
from contactctl.cli.confirmation import ask_typed, count_spellings
from contactctl.output.view import Heading, Presentation, Text


def probe(invocation: Invocation) -> Presentation:
    plan = Presentation(blocks=[Heading("1,284 of 9,000 contacts")])
    invocation.show_before_prompt(plan)
    console = invocation.console
    ask_typed(console, "Type the count:", count_spellings(1284), option="--confirm 1284")
    return Presentation({"done": True}, blocks=[Text("changed")])


registry.COMMANDS["probe"] = registry.Entry("probe", "Probe.")
sys.modules["contactctl.cli.probe"] = sys.modules["__main__"]
run.main()
"""


@pytest.mark.parametrize("answer", ["1284\n", "1,284\n", "  1284 \n", "1284"])
def test_the_count_may_be_typed_with_or_without_a_comma(answer: str) -> None:
    console = memory_console(tty=True, stdin=answer)

    ask_typed(console, "Type the count:", count_spellings(1284), option="--confirm")

    assert console.stderr.getvalue().startswith("Type the count: ")
    assert console.stdout.getvalue() == ""


@pytest.mark.parametrize(
    "answer", ["1283\n", "y\n", "yes\n", "\n", "", "1284 of 9000\n", "12,84\n"]
)
def test_anything_else_is_refused(answer: str) -> None:
    console = memory_console(tty=True, stdin=answer)

    with pytest.raises(RefusedError, match="nothing was changed"):
        ask_typed(console, "Type the count:", count_spellings(1284), option="--confirm")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("\x1b[31m\u202e 644\n", r"you typed '\x1b[31m\u202e 644', not 'ann@example.com'; "),
        ("x" * 99 + "\n", f"you typed '{'x' * 57}...', not 'ann@example.com'; "),
        ("  \n", ""),
        ("", ""),
    ],
)
def test_what_was_typed_instead_is_told_harmlessly(answer: str, told: str) -> None:
    console = memory_console(tty=True, stdin=answer)
    with pytest.raises(RefusedError) as refusal:
        ask_typed(console, "Email:", ("ann@example.com",), option="--confirm")
    assert refusal.value.message == f"not confirmed: {told}nothing was changed"


def test_without_a_terminal_nothing_is_asked_and_the_option_is_named() -> None:
    console = memory_console(stdin="1284\n")

    with pytest.raises(RefusedError) as refusal:
        ask_typed(console, "Type the count:", count_spellings(1284), option="--confirm 1284")

    assert refusal.value.hint == "give --confirm 1284"
    assert console.stderr.getvalue() == ""


def test_answers_can_be_compared_in_a_form_of_the_callers() -> None:
    console = memory_console(tty=True, stdin=" ANN@example.com\n")

    ask_typed(
        console,
        "Type the email:",
        ["ann@example.com"],
        option="--confirm",
        normalise=lambda answer: answer.strip().lower(),
    )


@pytest.fixture
def terminal(tmp_path: Path):
    """Start a command that asks for a count, at a terminal of 80x24."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    children: list[pexpect.spawn] = []

    def start(*args: str) -> pexpect.spawn:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
        environ |= {"NO_COLOR": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        arguments = [str(script), "probe", *args]
        child = pexpect.spawn(
            warm_python(), arguments, env=environ, encoding="utf-8", dimensions=(24, 80)
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def ended(child: pexpect.spawn) -> tuple[int | None, str]:
    """Exit code, and what came since the last thing expected."""
    rest = child.read()
    child.close()
    return child.exitstatus, rest


def test_a_person_sees_the_plan_types_the_count_and_it_happens(terminal) -> None:
    child = terminal()
    child.expect_exact("1,284 of 9,000 contacts\r\n\r\nType the count: ")
    child.sendline("1,284")

    exit_code, rest = ended(child)
    assert exit_code == 0
    assert rest.endswith("changed\r\n")


def test_a_wrong_count_exits_4(terminal) -> None:
    child = terminal()
    child.expect_exact("Type the count: ")
    child.sendline("1285")

    exit_code, rest = ended(child)
    assert exit_code == 4
    assert "error: not confirmed: you typed '1285', not '1284'; nothing was changed" in rest
    assert "\r\nchanged" not in rest


def test_the_end_of_input_exits_4(terminal) -> None:
    child = terminal()
    child.expect_exact("Type the count: ")
    child.sendeof()

    exit_code, rest = ended(child)
    assert exit_code == 4
    assert "\r\nerror: not confirmed" in rest


def test_ctrl_c_exits_130(terminal) -> None:
    child = terminal()
    child.expect_exact("Type the count: ")
    child.sendintr()

    exit_code, rest = ended(child)
    assert exit_code == 130
    assert "\r\nerror: interrupted" in rest
    assert "Traceback" not in rest


def test_json_is_alone_on_stdout_even_when_a_question_was_asked(terminal, tmp_path: Path) -> None:
    child = terminal("--json")
    child.expect_exact("Type the count: ")
    child.sendline("1284")

    exit_code, rest = ended(child)
    assert exit_code == 0
    assert '"done": true' in rest
