"""Option values, converted without pydantic, mean what Typer's would."""

from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from contactctl.cli import options, registry
from contactctl.cli.app import load_command
from contactctl.cli.parameters import PlainConversion, convert_without_pydantic
from helpers.cli import run_cli


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def convert(annotation: Any, value: Any, **limits: float) -> Any:
    return PlainConversion(annotation).coerce(value, SimpleNamespace(**limits), None)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (str, "12", "12"),
        (int, "12", 12),
        (int, None, None),
        (float, "0.5", 0.5),
        (bool, True, True),
        (Path, "a/b", Path("a/b")),
        (Colour, "red", Colour.RED),
        (list[str], ["a", "b"], ["a", "b"]),
        (list[int], ["1"], [1]),
        (list[str], None, ()),
    ],
)
def test_a_value_gets_its_type(annotation: Any, value: Any, expected: Any) -> None:
    converted = convert(annotation, value)

    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (int, "twelve", "'twelve' is not a whole number."),
        (float, "x", "'x' is not a number."),
        (Colour, "green", "'green' is not one of red, blue."),
        (list[Colour], ["red", "green"], "'green' is not one of red, blue."),
    ],
)
def test_a_value_that_does_not_fit_is_named(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        convert(annotation, value)


@pytest.mark.parametrize("value", ["-1", "11", "nan"])
def test_a_number_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(typer.BadParameter):
        convert(float, value, min=0, max=10)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(str, "a\0b"), (str, "caf\udce9"), (list[str], ["a", "\udcff"]), (Path, "a\0b")],
)
def test_what_no_database_or_file_system_holds_is_refused(annotation: Any, value: Any) -> None:
    with pytest.raises(typer.BadParameter):
        convert(annotation, value)


def test_a_file_may_have_a_name_that_is_not_utf_8() -> None:
    assert convert(Path, "caf\udce9") == Path("caf\udce9")


def test_other_types_keep_typers_conversion() -> None:
    param = SimpleNamespace(type_descriptor=SimpleNamespace(annotation=dict))

    convert_without_pydantic(param)

    assert not hasattr(param, "get_runtime_param")


def test_every_number_has_bounds_that_the_databases_can_hold() -> None:
    for path in registry.COMMANDS:
        for param in load_command(path).params:
            conversion = param.get_runtime_param()
            if isinstance(conversion, PlainConversion) and conversion.target in (int, float):
                assert param.min >= 0, param.name
                assert param.max <= options.MOST_NUMBER, param.name


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["contacts", "list", "--limit", "99999999999999999999"], "is more than 2147483647"),
        (["responses", "list", "--run", "99999999999999999999"], "is more than 2147483647"),
        (["responses", "ingest", "x", "--wait", "inf"], "inf is more than 86400"),
        (["responses", "fetch", "--wait", "nan"], "nan is less than 0"),
    ],
)
def test_a_number_out_of_bounds_is_a_usage_error(args: list[str], message: str) -> None:
    result = run_cli(args)

    assert result.exit_code == 2
    assert message in result.stderr
