"""Criteria as YAML: read with file and line in every error, and written so that they read back."""

import re
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
# what others call them; a did-you-mean by letters would lead from `and` to `any`
_SAID = {
    **dict.fromkeys(("and", "must", "match_all", "where"), "all"),
    **dict.fromkeys(("or", "should", "match_any"), "any"),
    **dict.fromkeys(("not", "must_not", "nor", "except", "exclude", "unless"), "none"),
}
_CONDITION_KEYS = ("field", "operator", "value")
_LIST_HINT = "write 'all:' and below it each condition on a line of its own, after '- '"
_GLUED_COMMENT = re.compile(r"#[^\s#]")
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
    if isinstance(root.value, list) or root.text:
        raise root.error("conditions without 'all', 'any' or 'none' above them", hint=_LIST_HINT)
    entries = _entries(root, ("name", *_BRANCHES))
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
    if branch.text and not branch.is_null:
        raise branch.error(f"'{shown(branch.text)}' is not in a list", hint=_LIST_HINT)
    items = [] if branch.is_null else branch.as_list()
    if not items:
        raise branch.error("an empty group", hint=_EMPTY_HINT)
    return tuple(_part(item, catalogue) for item in items)


def _part(item: Node, catalogue: FieldCatalogue) -> Condition | Criteria:
    if not isinstance(item.value, dict):
        text = _whole_text(item)
        with _placed_at(item):
            return replace(parse_condition(text, catalogue), place=item.place)
    if "field" in item.value or "operator" in item.value:
        return _condition_of_mapping(item, catalogue)
    return _nested_criteria(item, catalogue)


def _nested_criteria(item: Node, catalogue: FieldCatalogue) -> Criteria:
    if condition_like := [key for key in item.as_mapping() if " " in key]:
        message = f"'{shown(condition_like[0])}: ...' is not a condition"
        raise item.error(message, hint="put the whole condition in quotes")
    return _criteria(item, _entries(item, _BRANCHES), catalogue)


def _entries(node: Node, known_keys: tuple[str, ...]) -> dict[str, Node]:
    for key, entry in node.as_mapping().items():
        if key not in known_keys and (meant := _SAID.get(key.casefold())):
            raise entry.error(f"unknown key '{shown(key)}'", hint=f"did you mean '{meant}'?")
    return node.as_mapping(known_keys)


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
        return [_whole_text(item) for item in value.as_list()]
    return [_whole_text(value)]


def _whole_text(node: Node) -> str:
    """The text as written. What YAML takes for a comment may be a part of it that excludes
    somebody: `tag != Team #1`."""
    text = node.as_text()
    if _GLUED_COMMENT.match(node.comment):
        message = f"'{shown(node.comment)}' after '{shown(text)}' would be a comment"
        raise node.error(message, hint="put the whole text in quotes, or a blank after the '#'")
    return text


@contextmanager
def _placed_at(node: Node) -> Iterator[None]:
    """Adds the node's file and line to the domain's errors, which know no files."""
    try:
        yield
    except CriteriaError as error:
        raise node.error(error.message, hint=error.hint) from None
