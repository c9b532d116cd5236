"""Who has reached a threshold: one query for all contacts, or one contact as Python sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain import thresholds
from contactctl.domain.responses import WISHES, Category
from contactctl.store import tables
from contactctl.store.predicates import by_email, counts_by_email, is_active, is_open
from contactctl.store.temporary import join_each_once
from contactctl.store.types import UtcInstant

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership
_response = tables.response


def read_subject(
    connection: sa.Connection, contact_id: int, responses: Sequence[Mapping[str, Any]]
) -> thresholds.ThresholdSubject:
    """The contact with its `responses`, rows of store.responses.responses_of_contact."""
    contact = connection.execute(
        sa.select(_contact.c.reactivated_at, _contact.c.delivered_at).where(
            _contact.c.id == contact_id
        )
    ).one()
    memberships = connection.execute(
        sa.select(_membership.c.group_id, _membership.c.reactivated_at).where(
            _membership.c.contact_id == contact_id
        )
    )
    deactivations = connection.execute(
        sa.select(_deactivation).where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.category != "",
            ~_deactivation.c.taken_back,
        )
    ).all()
    keyed = [((row.group_id, Category(row.category)), row.ended_at) for row in deactivations]
    ended: dict[thresholds.Due, Any] = {}
    for due, ended_at in keyed:
        if ended_at is not None:
            ended[due] = max(ended_at, ended.get(due, ended_at))
    return thresholds.ThresholdSubject(
        responses=[_recorded(row) for row in responses if row["category"] not in WISHES],
        reactivated_at=contact.reactivated_at,
        delivered_at=contact.delivered_at,
        memberships={row[0]: row[1] for row in memberships},
        ended=ended,
        open=frozenset(due for due, ended_at in keyed if ended_at is None),
    )


def _recorded(row: Mapping[str, Any]) -> thresholds.RecordedResponse:
    return thresholds.RecordedResponse(
        category=Category(row["category"]),
        occurred_at=row["occurred_at"],
        group_id=row["group_id"],
        counts=row["counts"],
        held=row["held"],
        channel=row["channel"],
        not_counted=row["not_counted"],
        through=row["through"],
    )


# Thresholds as SQL: one query for all contacts in question (domain.thresholds says what of)


ContactIds = sa.Select[int]  # one column, `contact_id`

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)  # the start of a window without one


def _counts() -> sa.ColumnElement[bool]:
    """The responses that thresholds count: the first echo of nothing too."""
    is_echo = sa.and_(_response.c.not_counted == thresholds.ECHO, by_email(), ~_echoed())
    return sa.or_(counts_by_email(), is_echo)


def _echoed() -> sa.ColumnElement[bool]:
    """Of the echo's category the contact has a response on record, or an earlier echo."""
    other = _response.alias("other")
    is_earlier = sa.or_(
        other.c.occurred_at < _response.c.occurred_at,
        sa.and_(
            other.c.occurred_at == _response.c.occurred_at,
            other.c.source_key < _response.c.source_key,
        ),
    )
    return sa.exists().where(
        other.c.contact_id == _response.c.contact_id,
        other.c.category == _response.c.category,
        other.c.channel == "email",
        sa.or_(
            other.c.counts,
            other.c.not_counted == thresholds.DISCARDED,
            sa.and_(other.c.not_counted == thresholds.ECHO, is_earlier),
        ),
    )


def due(
    rules: thresholds.ThresholdRules,
    now: datetime,
    dialect: str,
    *,
    among: ContactIds | None = None,
    waiting_runs: Sequence[int] = (),
    unjudged_runs: Sequence[int] = (),
) -> sa.Select[int, int, str, int]:
    """(contact_id, group_id, category, revision) of every deactivation that is due, once each.

    `among` restricts it to some contacts. What the plan of one of the `waiting_runs` holds is left
    out, and so are the responses of `unjudged_runs`, which may turn out to be an incident. All
    responses are looked at for candidates alone, since days and watermarks are slow to compare.
    """
    rule = _rule_table(rules, now)
    if among is None:
        among = _candidates(rules, now)
    spacing = Spacing(rule, dialect)
    rows = _counted(rule, rules, among, spacing.number(), unjudged_runs)
    if any(each.over_seconds for each in rules.rules):
        rows = rows.having(spacing.seconds() >= sa.func.max(rule.c.over))
    counted = rows.subquery("counted")
    statement = (
        sa.select(counted.c.contact_id, rule.c.scope, rule.c.category, _contact.c.revision)
        .select_from(
            counted.join(rule, rule.c.number == counted.c.rule).join(
                _contact, _contact.c.id == counted.c.contact_id
            )
        )
        .where(_is_enough(counted, rule))
        .distinct()
    )
    if waiting_runs:
        statement = statement.where(~_is_planned(counted, rule, waiting_runs))
    return statement


def _rule_table(rules: thresholds.ThresholdRules, now: datetime) -> sa.CTE:
    """The rules as rows. A response matches the one row of its category and counting group."""
    columns = (
        sa.column("number", sa.Integer),
        sa.column("group_id", sa.Integer),
        sa.column("scope", sa.Integer),
        sa.column("category", sa.Text),
        sa.column("needed", sa.Integer),
        sa.column("needed_through", sa.Integer),
        sa.column("since", UtcInstant),
        sa.column("is_reset", sa.Boolean),
        sa.column("days", sa.Integer),
        sa.column("days_through", sa.Integer),
        sa.column("over", sa.Integer),
    )
    rows = [
        (
            number,
            rule.group_id,
            rule.scope,
            rule.category.value,
            rule.needed,
            through.needed,
            rule.window_start(now) or _ALWAYS,
            rules.reset_by_delivery(rule.category),
            rule.days_apart,
            through.days_apart,
            rule.over_seconds,
        )
        for number, (rule, through) in enumerate(each.both_ways() for each in rules.rules)
    ]
    return sa.values(*columns, name="threshold_rule").data(rows).cte("threshold_rule")


def _candidates(rules: thresholds.ThresholdRules, now: datetime) -> sa.Select[int]:
    """The contacts that some rule may concern: more than are due, and cheap to find.

    No watermark is looked at, and a category's groups are taken together; a sum per category
    needs no sorting, as the responses lie in the order of their contacts.
    """
    in_window, reached = [], []
    for category in dict.fromkeys(rule.category for rule in rules.rules):
        its_rules = [rule for rule in rules.rules if rule.category is category]
        is_category = _response.c.category == category.value
        since = min(rule.window_start(now) or _ALWAYS for rule in its_rules)
        is_late_enough = _response.c.occurred_at >= sa.literal(since, UtcInstant)
        in_window.append(sa.and_(is_category, is_late_enough) if since > _ALWAYS else is_category)
        needed = min(way.needed for rule in its_rules for way in rule.both_ways())
        reached.append(sa.func.sum(sa.case((is_category, 1), else_=0)) >= needed)
    return (
        sa.select(_response.c.contact_id)
        .where(_counts(), sa.or_(*in_window))
        .group_by(_response.c.contact_id)
        .having(sa.or_(*reached))
    )


def _is_enough(counted: sa.FromClause, rule: sa.CTE) -> sa.ColumnElement[bool]:
    needed = sa.case((counted.c.through, rule.c.needed_through), else_=rule.c.needed)
    return counted.c.responses >= needed


def _counted(
    rule: sa.CTE,
    rules: thresholds.ThresholdRules,
    among: ContactIds,
    number: sa.ColumnElement[int],
    unjudged_runs: Sequence[int],
) -> sa.Select[Any]:
    """(contact_id, rule, through, responses): how many of a contact's responses count for a rule,
    those of the address itself and those that went through it apart."""
    chosen = among.subquery("chosen")
    rows = chosen.join(_response, _response.c.contact_id == chosen.c.contact_id)
    rows = rows.join(_contact, _contact.c.id == _response.c.contact_id)
    rows = rows.join(rule, _is_rule_of_response(rule, rules))
    conditions = [_counts(), _is_past_watermark(rule), ~_is_settled(rule)]
    if unjudged_runs:
        conditions.append(_response.c.run_id.not_in(unjudged_runs))
    if any(each.scope != thresholds.SYSTEM_WIDE for each in rules.rules):
        rows = rows.outerjoin(_membership, _is_membership_in_scope(rule))
        conditions.append(_concerns_member(rule))
    key = (_response.c.contact_id, rule.c.number, _response.c.through)
    return (
        sa.select(key[0], key[1].label("rule"), key[2], number.label("responses"))
        .select_from(rows)
        .where(*conditions)
        .group_by(*key)
    )


def _is_rule_of_response(rule: sa.CTE, rules: thresholds.ThresholdRules) -> sa.ColumnElement[bool]:
    """Of the group nothing is asked that all rules share: Postgres would expect one rule to pass,
    and read the responses once for each."""
    is_category = rule.c.category == _response.c.category
    if not rules.own_groups and all(
        each.group_id == thresholds.SYSTEM_WIDE for each in rules.rules
    ):
        return is_category
    return sa.and_(is_category, rule.c.group_id == _counting_group(rules))


def _counting_group(rules: thresholds.ThresholdRules) -> sa.ColumnElement[int]:
    """The group apart from which a response is counted, SYSTEM_WIDE for most."""
    if not rules.own_groups:
        return sa.literal(thresholds.SYSTEM_WIDE, sa.Integer)
    groups: dict[int, list[Category]] = {}
    for group_id, category in sorted(rules.own_groups):
        groups.setdefault(group_id, []).append(category)
    apart = [
        sa.and_(_response.c.group_id == group_id, _response.c.category.in_(categories))
        for group_id, categories in groups.items()
    ]
    return sa.case((sa.or_(*apart), _response.c.group_id), else_=thresholds.SYSTEM_WIDE)


def _is_membership_in_scope(rule: sa.CTE) -> sa.ColumnElement[bool]:
    return sa.and_(
        _membership.c.contact_id == _response.c.contact_id, _membership.c.group_id == rule.c.scope
    )


def _is_past_watermark(rule: sa.CTE) -> sa.ColumnElement[bool]:
    """In the window, and after the contact's reactivation and the delivery, if it matters."""
    occurred_at = _response.c.occurred_at
    return sa.and_(
        occurred_at >= rule.c.since,
        _is_later(occurred_at, _contact.c.reactivated_at),
        sa.or_(~rule.c.is_reset, _is_later(occurred_at, _contact.c.delivered_at)),
    )


def _concerns_member(rule: sa.CTE) -> sa.ColumnElement[bool]:
    """A rule that deactivates in a group concerns its members, after their reactivation there."""
    return sa.and_(
        sa.or_(rule.c.scope == thresholds.SYSTEM_WIDE, _membership.c.contact_id.is_not(None)),
        _is_later(_response.c.occurred_at, _membership.c.reactivated_at),
    )


def _is_later(
    occurred_at: sa.ColumnElement[datetime], instant: sa.ColumnElement[datetime | None]
) -> sa.ColumnElement[bool]:
    return sa.or_(instant.is_(None), occurred_at > instant)


def _is_settled(rule: sa.CTE) -> sa.ColumnElement[bool]:
    """The very deactivation is open, or was ended after the response."""
    return sa.exists().where(
        _deactivation.c.contact_id == _response.c.contact_id,
        _deactivation.c.group_id == rule.c.scope,
        _deactivation.c.category == _response.c.category,
        sa.or_(
            is_open(),
            sa.and_(
                _deactivation.c.ended_at >= _response.c.occurred_at, ~_deactivation.c.taken_back
            ),
        ),
    )


def _is_planned(counted: sa.FromClause, rule: sa.CTE, runs: Sequence[int]) -> sa.Exists:
    return sa.exists().where(
        _item.c.contact_id == counted.c.contact_id,
        _item.c.run_id.in_(runs),
        _item.c.group_id == rule.c.scope,
        _item.c.category == rule.c.category,
    )


@dataclass(frozen=True, slots=True)
class DueCounts:
    """What is due: contacts in all, how many of them are active, how many lose something (a
    further reason for an inactive one changes nothing), and number by (group id, category)."""

    contacts: int
    active: int
    losing: int
    by_scope: Mapping[tuple[int, Category], int]


def count_reached(
    connection: sa.Connection, rules: thresholds.ThresholdRules, now: datetime
) -> DueCounts:
    """How many contacts the rules would deactivate now, whatever plans wait."""
    if not rules.rules:
        return DueCounts(0, 0, 0, {})
    join_each_once(connection)
    found = due(rules, now, connection.dialect.name).subquery("due")
    by_scope = connection.execute(
        sa.select(found.c.scope, found.c.category, sa.func.count()).group_by(
            found.c.scope, found.c.category
        )
    )
    loses = sa.or_(is_active(), found.c.scope != thresholds.SYSTEM_WIDE)
    totals = connection.execute(
        sa.select(
            sa.func.count(sa.distinct(_contact.c.id)),
            sa.func.count(sa.distinct(sa.case((is_active(), _contact.c.id)))),
            sa.func.count(sa.distinct(sa.case((loses, _contact.c.id)))),
        ).join_from(found, _contact, _contact.c.id == found.c.contact_id)
    ).one()
    numbers = {(scope, Category(name)): number for scope, name, number in by_scope}
    return DueCounts(totals[0], totals[1], totals[2], numbers)


# How far responses lie apart, as SQL: days that count once, seconds from the first to the last


class Spacing:
    """How far the responses of one group of rows lie apart, by their rule."""

    def __init__(self, rule: sa.CTE, dialect: str) -> None:
        self._rule, self._is_sqlite = rule, dialect == "sqlite"

    def number(self) -> sa.ColumnElement[int]:
        """How many they are; those of one period of days count once."""
        days = sa.case((_response.c.through, self._rule.c.days_through), else_=self._rule.c.days)
        period = sa.case((days > 0, self._day() // days))
        return sa.case(
            (sa.func.max(days) == 0, sa.func.count()), else_=sa.func.count(sa.distinct(period))
        )

    def seconds(self) -> sa.ColumnElement[int]:
        """From the first to the last."""
        second = self._since_1970(19)
        return sa.func.max(second) - sa.func.min(second)

    def _day(self) -> sa.ColumnElement[int]:
        return self._since_1970(10) // 86_400

    def _since_1970(self, characters: int) -> sa.ColumnElement[int]:
        """Whole seconds; SQLite rounds parts of one, so that they are cut off first."""
        occurred_at = _response.c.occurred_at
        if self._is_sqlite:
            whole = sa.func.substr(occurred_at, 1, characters, type_=sa.Text())
            return sa.cast(sa.func.strftime("%s", whole), sa.Integer)
        return sa.cast(sa.func.floor(sa.func.extract("epoch", occurred_at)), sa.BigInteger)
