"""Criteria as indented lines, as in a criteria file, with every date calculated."""

from contactctl.domain.condition_text import format_condition
from contactctl.domain.conditions import Condition
from contactctl.domain.criteria import Criteria
from contactctl.domain.resolve import ResolvedCriteria


def criteria_lines(resolved: ResolvedCriteria) -> list[str]:
    """The tree, a line for each branch and condition; a plain list where all must hold."""
    counted = {written: dates for written, dates in resolved.describe() if written != dates}
    criteria = resolved.criteria
    if not criteria.any and not criteria.none:
        return [line for part in criteria.all for line in _part_lines(part, counted, "")]
    return _branch_lines(criteria, counted, "")


def _branch_lines(criteria: Criteria, counted: dict[str, str], indent: str) -> list[str]:
    lines = []
    for name, parts in (("all", criteria.all), ("any", criteria.any), ("none", criteria.none)):
        if parts:
            lines.append(f"{indent}{name}:")
            lines += [line for part in parts for line in _part_lines(part, counted, f"{indent}  ")]
    return lines


def _part_lines(part: Condition | Criteria, counted: dict[str, str], indent: str) -> list[str]:
    if isinstance(part, Criteria):
        return _branch_lines(part, counted, indent)
    written = format_condition(part)
    dates = counted.get(written)
    return [f"{indent}{written}   ({dates})" if dates else f"{indent}{written}"]
