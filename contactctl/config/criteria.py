"""Criteria as YAML: read with file and line in every error, and written so that they read back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import yaml

from contactctl.config.strict_yaml import Node, load_strict, load_strict_file
from contactctl.domain.criteria.conditions import (
    Condition,
    build_condition,
    find_operator,
    parse_condition,
)
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.criteria.tree import Criteria, as_data, check_size
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import CriteriaError

_BRANCHES = ("all", "any", "none")
_CONDITION_KEYS = ("field", "operator", "value")
_EMPTY_HINT = "an empty list of conditions could mean everybody; write at least one, or remove it"


def read_criteria(path: Path | BinaryIO, source: str, catalogue: FieldCatalogue) -> Criteria:
    """The criteria in a file or an open binary stream (standard input), called `source` in errors.

    Raises CriteriaError as `source:line: message`, with a hint; nothing is ever guessed.
    """
    return _criteria_of_document(load_strict_file(path, source, CriteriaError), catalogue)


def parse_criteria(text: str, source: str, catalogue: FieldCatalogue) -> Criteria:
    """The criteria in YAML text; errors as in `read_criteria`."""
    return _criteria_of_document(load_strict(text, source, CriteriaError), catalogue)


def criteria_as_yaml(criteria: Criteria) -> str:
    """The criteria as YAML text that `parse_criteria` reads back to equal criteria."""
    text: str = yaml.safe_dump(
        as_data(criteria), sort_keys=False, allow_unicode=True, width=1_000_000
    )
    return text


def _criteria_of_document(root: Node, catalogue: FieldCatalogue) -> Criteria:
    if root.is_null:
        raise root.error("no criteria", hint="write conditions under all, any or none")
    entries = root.as_mapping(("name", *_BRANCHES))
    name = entries["name"].as_text() if "name" in entries else ""
    criteria = _criteria(root, entries, catalogue, name)
    with _placed_at(root):
        check_size(criteria)
    return criteria


def _criteria(
    node: Node, entries: dict[str, Node], catalogue: FieldCatalogue, name: str = ""
) -> Criteria:
    branches = {key: _parts(entries[key], catalogue) for key in _BRANCHES if key in entries}
    with _placed_at(node):
        return Criteria(
            name, branches.get("all", ()), branches.get("any", ()), branches.get("none", ())
        )


def _parts(branch: Node, catalogue: FieldCatalogue) -> tuple[Condition | Criteria, ...]:
    items = [] if branch.is_null else branch.as_list()
    if not items:
        raise branch.error("an empty group", hint=_EMPTY_HINT)
    return tuple(_part(item, catalogue) for item in items)


def _part(item: Node, catalogue: FieldCatalogue) -> Condition | Criteria:
    if not isinstance(item.value, dict):
        text = item.as_text()
        with _placed_at(item):
            return replace(parse_condition(text, catalogue), place=item.place)
    if "field" in item.value or "operator" in item.value:
        return _condition_of_mapping(item, catalogue)
    return _nested_criteria(item, catalogue)


def _nested_criteria(item: Node, catalogue: FieldCatalogue) -> Criteria:
    if condition_like := [key for key in item.as_mapping() if " " in key]:
        message = f"'{shown(condition_like[0])}: ...' is not a condition"
        raise item.error(message, hint="put the whole condition in quotes")
    return _criteria(item, item.as_mapping(_BRANCHES), catalogue)


def _condition_of_mapping(item: Node, catalogue: FieldCatalogue) -> Condition:
    entries = item.as_mapping(_CONDITION_KEYS)
    if missing := [key for key in ("field", "operator") if key not in entries]:
        raise item.error(f"a condition without '{missing[0]}'")
    field_name, operator_name = entries["field"].as_text(), entries["operator"].as_text()
    words = _words(entries.get("value"))
    with _placed_at(entries["field"]):
        field = catalogue.find(field_name)
    with _placed_at(entries["operator"]):
        operator = find_operator(field, operator_name)
    with _placed_at(entries.get("value", item)):
        return replace(build_condition(field, operator, words), place=item.place)


def _words(value: Node | None) -> list[str]:
    """The texts of the values as written, without any YAML type."""
    if value is None or value.is_null:
        return []
    if isinstance(value.value, list):
        return [item.as_text() for item in value.as_list()]
    return [value.as_text()]


@contextmanager
def _placed_at(node: Node) -> Iterator[None]:
    """Adds the node's file and line to the domain's errors, which know no files."""
    try:
        yield
    except CriteriaError as error:
        raise node.error(error.message, hint=error.hint) from None
