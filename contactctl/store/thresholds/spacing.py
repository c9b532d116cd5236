"""How far responses lie apart, as SQL: days that count once, seconds from the first to the last."""

from sqlalchemy import CTE, BigInteger, ColumnElement, Integer, Text, case, cast, distinct, func

from contactctl.store import tables

_response = tables.response


class Spacing:
    """How far the responses of one group of rows lie apart, by their rule."""

    def __init__(self, rule: CTE, dialect: str) -> None:
        self._rule, self._is_sqlite = rule, dialect == "sqlite"

    def number(self) -> ColumnElement[int]:
        """How many they are; those of one period of days count once."""
        days = case((_response.c.through, self._rule.c.days_through), else_=self._rule.c.days)
        period = case((days > 0, self._day() // days))
        return case((func.max(days) == 0, func.count()), else_=func.count(distinct(period)))

    def seconds(self) -> ColumnElement[int]:
        """From the first to the last."""
        second = self._since_1970(19)
        return func.max(second) - func.min(second)

    def _day(self) -> ColumnElement[int]:
        return self._since_1970(10) // 86_400

    def _since_1970(self, characters: int) -> ColumnElement[int]:
        """Whole seconds; SQLite rounds parts of one, so that they are cut off first."""
        occurred_at = _response.c.occurred_at
        if self._is_sqlite:
            whole = func.substr(occurred_at, 1, characters, type_=Text())
            return cast(func.strftime("%s", whole), Integer)
        return cast(func.floor(func.extract("epoch", occurred_at)), BigInteger)
