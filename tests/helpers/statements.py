"""Whether a statement could be sent to a store that is spread over machines.

What Citus refuses shows only on a cluster, some of it only with large tables. So each statement
that tests send to Postgres is parsed, and held against the rules of
docs/how-to/outgrow-one-server.md.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlglot
from sqlalchemy import Connection, Engine, event
from sqlglot import exp

import contactctl
from contactctl.store import tables
from contactctl.store.database.distribution import placements
from contactctl.store.types import is_text

_PLACED = placements()
CUT_BY = {name: how for name, how in _PLACED.items() if how not in ("everywhere", "coordinator")}
_EVERYWHERE = frozenset(name for name, how in _PLACED.items() if how == "everywhere")
_TEXTS = frozenset(
    column.name
    for name in CUT_BY
    for column in tables.metadata.tables[name].columns
    if is_text(column)
)
_VOLATILE = frozenset(
    ("now", "random", "clock_timestamp", "statement_timestamp", "timeofday", "gen_random_uuid")
)
# whose results depend on settings, as the server has it
_STABLE = frozenset(("jsonb_build_object", "jsonb_build_array", "to_jsonb", "concat", "to_char"))
_ON_THE_WAY = ("helpers", "sqlalchemy", "sqlmodel", "contextlib")
_SEQUENTIAL = "citus.multi_shard_modify_mode"
_CHECKED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

Source = tuple[str, str]  # alias, table


@dataclass(slots=True)
class _Scope:
    """The tables that one part of a statement joins, those of its correlated parts included;
    `derived` are what is in FROM in parentheses, and has no cut table."""

    node: exp.Expression
    own: list[Source]
    derived: list[str]
    inner: list["_Scope"] = field(default_factory=list)

    @property
    def sources(self) -> list[Source]:
        return [*self.own, *(each for part in self.inner for each in part.sources)]

    @property
    def equalities(self) -> Iterator[exp.EQ]:
        yield from _within(self.node, exp.EQ)
        for part in self.inner:
            yield from part.equalities


@cache
def broken_rules(statement: str) -> tuple[str, ...]:
    """What is wrong with the statement, in words; nothing for one that is no DML."""
    tree = _parsed(statement)
    if tree is None:
        return ()
    found = [words for scope in _scopes(tree) for words in _wrong_in(scope)]
    named = {table.name for table in tree.find_all(exp.Table)}
    if named & CUT_BY.keys():
        found += [f"volatile {name}()" for name in sorted(_functions(tree) & _VOLATILE)]
        gathered = {
            each.name
            for all_ in tree.find_all(exp.GroupConcat)
            for each in all_.find_all(exp.Column)
        }
        if gathered & _TEXTS:
            found.append("string_agg() of a text")
        if any(conflict.find(exp.Placeholder) for conflict in tree.find_all(exp.OnConflict)):
            found.append("a bound value in ON CONFLICT")
    if isinstance(tree, exp.Update) and tree.this.name in CUT_BY:
        subqueries = [each for value in tree.expressions for each in value.find_all(exp.Subquery)]
        if len(subqueries) > 1:
            found.append("more than one subquery in SET")
        named = {name for value in tree.expressions for name in _functions(value)}
        found += [f"{name}() in SET" for name in sorted(named & _STABLE)]
    return tuple(found)


@cache
def writes(statement: str, tables: frozenset[str]) -> bool:
    """Whether the statement changes one of these."""
    tree = _parsed(statement)
    changes = tree.find_all(exp.Insert, exp.Update, exp.Delete) if tree else ()
    return any(_target(change) in tables for change in changes)


@cache
def touches_cut(statement: str) -> bool:
    tree = _parsed(statement)
    return tree is not None and any(table.name in CUT_BY for table in tree.find_all(exp.Table))


@cache
def _parsed(statement: str) -> exp.Expression | None:
    """The statement; None for one that neither reads nor changes rows of tables."""
    if not statement.lstrip().upper().startswith(_CHECKED):
        return None
    # a bound value may be named by a number, which is no name to the parser
    readable = statement.replace("%%", "%").replace("%(", "%(bound_")
    return sqlglot.parse_one(readable, dialect="postgres")


class Watch:
    """Looks at all that the program sends to Postgres; `broken` is what breaks a rule, with the
    rule. What tests send themselves is theirs."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}

    def start(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._look)
        event.listen(Engine, "begin", self._begin)

    def stop(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._look)
        event.remove(Engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        connection.info["is_parallel"] = connection.info["is_sequential"] = False

    def _look(self, connection: Connection, _cursor: Any, statement: str, *_others: object) -> None:
        if connection.dialect.name != "postgresql":
            return
        for words in broken_rules(statement):
            self._tell(statement, words)
        if _SEQUENTIAL in statement or writes(statement, _EVERYWHERE):
            if connection.info["is_parallel"] and not connection.info["is_sequential"]:
                self._tell(statement, "groups change after cut tables, and not one by one")
            connection.info["is_sequential"] = True
        elif touches_cut(statement):
            connection.info["is_parallel"] = True

    def _tell(self, statement: str, words: str) -> None:
        if _sender().startswith(contactctl.__name__):
            self.broken[statement] = words


def _sender() -> str:
    """The module that sends the statement which is looked at."""
    frame = sys._getframe(1)
    while frame.f_globals["__name__"].partition(".")[0] in _ON_THE_WAY and frame.f_back:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def _wrong_in(scope: _Scope) -> Iterator[str]:
    cut = [(alias, table) for alias, table in scope.sources if table in CUT_BY]
    named = {each.alias for each in scope.node.root().find_all(exp.CTE)} | CUT_BY.keys()
    uncut = [table for _, table in scope.own if table not in _EVERYWHERE | named]
    uncut += scope.derived
    for part in scope.inner:
        inner = [table for _, table in part.sources if table not in _EVERYWHERE]
        if uncut and any(table in CUT_BY for table in inner) and not _is_held_by(part, scope):
            yield f"a subquery of a cut table depends on {uncut[0]}"
        if cut and (others := [table for table in inner if table not in named]):
            yield f"a subquery of {others[0]} depends on a cut table"
    groups = _joined_by(scope)
    keys = {groups.find((alias, CUT_BY[table])) for alias, table in cut}
    if len(keys) > 1:
        yield f"{', '.join(sorted({table for _, table in cut}))} are not joined by what cuts them"


def _derived_from_uncut(node: exp.Expression) -> Iterator[str]:
    for derived in _within(node, exp.Subquery):
        if derived.find_ancestor(exp.From, exp.Join) is not None and not any(
            table.name in CUT_BY for table in derived.find_all(exp.Table)
        ):
            yield derived.alias_or_name


def _is_held_by(part: _Scope, outer: _Scope) -> bool:
    """Whether a cut table of the part is equal to one outside of it, by what cuts both."""
    ours, theirs = (
        {(alias, CUT_BY[table]) for alias, table in sources if table in CUT_BY}
        for sources in (part.sources, outer.own)
    )
    for equality in part.equalities:
        sides = {_column(equality.left, part), _column(equality.right, part)}
        if sides & ours and sides & theirs:
            return True
    return False


class _Joined:
    """Columns that are equal to each other."""

    def __init__(self) -> None:
        self._parent: dict[Source, Source] = {}

    def find(self, column: Source) -> Source:
        while (above := self._parent.get(column, column)) != column:
            column = above
        return column

    def join(self, one: Source, other: Source) -> None:
        self._parent[self.find(one)] = self.find(other)


def _joined_by(scope: _Scope) -> _Joined:
    joined = _Joined()
    for equality in scope.equalities:
        sides = [_column(side, scope) for side in (equality.left, equality.right)]
        if sides[0] and sides[1]:
            joined.join(sides[0], sides[1])
    return joined


def _column(side: exp.Expression, scope: _Scope) -> Source | None:
    while isinstance(side, exp.Cast | exp.Paren):
        side = side.this
    if not isinstance(side, exp.Column):
        return None
    if side.table:
        return side.table, side.name
    alone = [alias for alias, table in scope.sources if CUT_BY.get(table) == side.name]
    return (alone[0], side.name) if len(alone) == 1 else None


def _scopes(tree: exp.Expression) -> list[_Scope]:
    """The parts of a statement that stand for themselves."""
    roots: list[_Scope] = []
    by_node: dict[int, _Scope] = {}
    for node in tree.find_all(exp.Select, exp.Update, exp.Delete):  # outer ones come first
        scope = _Scope(node, list(_sources(node)), list(_derived_from_uncut(node)))
        by_node[id(node)] = scope
        outer = _outer_of(node, scope, by_node)
        (outer.inner if outer else roots).append(scope)
    return roots


def _outer_of(node: exp.Expression, scope: _Scope, by_node: dict[int, _Scope]) -> _Scope | None:
    """The part whose tables this one names, if it is not in its FROM."""
    own = {alias for alias, _ in scope.own}
    named = {column.table for column in node.find_all(exp.Column) if column.table} - own
    above = node.parent
    while above is not None:
        outer = by_node.get(id(above))
        if outer is not None and named & {*outer.derived, *(alias for alias, _ in outer.own)}:
            return outer
        above = above.parent
    return None


def _sources(node: exp.Expression) -> Iterator[Source]:
    if isinstance(node, exp.Update | exp.Delete) and isinstance(node.this, exp.Table):
        yield node.this.alias_or_name, node.this.name
    for table in _within(node, exp.Table):
        if table.find_ancestor(exp.From, exp.Join) is not None or _is_using(table):
            yield table.alias_or_name, table.name


def _is_using(table: exp.Expression) -> bool:
    return isinstance(table.parent, exp.Delete) and table.arg_key == "using"


def _within(node: exp.Expression, kind: type[exp.Expression]) -> Iterator[Any]:
    """What is directly in this part, and not in a SELECT inside of it."""
    for found in node.find_all(kind):
        above = found.parent
        while above is not None and above is not node and not isinstance(above, exp.Select):
            above = above.parent
        if above is node:
            yield found


def _target(change: exp.Expression) -> str:
    target = change.this
    return str((target.this if isinstance(target, exp.Schema) else target).name)


def _functions(tree: exp.Expression) -> set[str]:
    named = {each.name.lower() for each in tree.find_all(exp.Anonymous)}
    if tree.find(exp.CurrentTimestamp):
        named.add("now")
    if tree.find(exp.Rand):
        named.add("random")
    return named
