"""How handling rules are shown."""

from collections.abc import Sequence

from contactctl.domain.errors import ContactctlError
from contactctl.domain.group_settings import format_threshold
from contactctl.domain.handling import rule_text
from contactctl.operations.rules import OutOfReach, RuleInForce
from contactctl.output.presentation import (
    Column,
    Presentation,
    Rows,
    RowsTable,
    Text,
    Verbatim,
)
from contactctl.output.values import counted

_COLUMNS = (
    Column("category"),
    Column("group"),
    Column("handling", wraps=True),
    Column("recommended", wraps=True),
    Column("advice", wraps=True),
)
RULE_FIELDS = tuple(column.key for column in _COLUMNS)


def present_rules(rules: Sequence[RuleInForce]) -> Presentation:
    """The rules in force next to what is recommended."""
    return Presentation(rows=_rows(rules), blocks=[RowsTable()])


def present_check(
    rules: Sequence[RuleInForce], out_of_reach: Sequence[OutOfReach] = ()
) -> Presentation:
    """The rules that differ from the recommendations, as an error if there are any."""
    against = [each for each in rules if each.advice]
    data = {
        "checked": len(rules),
        "against": len(against),
        "out_of_reach": [
            {
                "category": each.category,
                "group": each.group,
                "threshold": format_threshold(each.threshold),
                "days_between_mails": each.days,
            }
            for each in out_of_reach
        ],
    }
    warnings = [
        f"the threshold for {each.category}{f' in {each.group}' if each.group else ''}"
        f" ({format_threshold(each.threshold)}) can hardly be reached: responses come every"
        f" {counted(each.days, 'day')}, at most {each.most} in that time;"
        " `contactctl rules recommend --sending` proposes others"
        for each in out_of_reach
    ]
    if not against:
        agreed = Text("Every rule is as recommended.")
        return Presentation(data, _rows(against), [agreed], warnings=warnings)
    return Presentation(data, _rows(against), [RowsTable()], warnings=warnings).failed(
        ContactctlError(
            f"not as recommended: {counted(len(against), 'rule')}",
            hint="`contactctl rules recommend` prints rules that are",
            code="not-recommended",
        )
    )


def present_recommendation(text: str) -> Presentation:
    """Rules for the config."""
    return Presentation({"yaml": text}, None, [Verbatim(text)])


def _rows(rules: Sequence[RuleInForce]) -> Rows:
    items = [
        {
            "category": each.category,
            "group": each.group,
            "handling": rule_text(each.rule) if each.rule else "stays deactivated",
            "recommended": each.recommended,
            "advice": each.advice or None,
        }
        for each in rules
    ]
    return Rows("rules", _COLUMNS, items)
