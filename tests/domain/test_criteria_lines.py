"""Criteria shown to people keep their shape: what is excluded must not look wanted."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from contactctl.config.criteria import parse_criteria
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.criteria.resolve import criteria_lines, resolve


def lines_of(yaml: str) -> list[str]:
    criteria = parse_criteria(yaml, "test", FieldCatalogue())
    return criteria_lines(resolve(criteria, datetime(2026, 6, 15, tzinfo=UTC), ZoneInfo("UTC")))


def test_a_plain_list_needs_no_branch() -> None:
    assert lines_of("all: [company = acme, last_opportunity older-than 24 months]") == [
        "company = acme",
        "last_opportunity older-than 24 months   (last_opportunity before 2024-06-15)",
    ]


def test_branches_and_nesting_are_shown() -> None:
    assert lines_of("all: [id > 3, any: [tag = a, tag = b]]\nnone: [company = acme]") == [
        "all:",
        "  id > 3",
        "  any:",
        "    tag = a",
        "    tag = b",
        "none:",
        "  company = acme",
    ]


def test_excluded_conditions_alone_do_not_look_wanted() -> None:
    assert lines_of("none: [tag = vip]") == ["none:", "  tag = vip"]
