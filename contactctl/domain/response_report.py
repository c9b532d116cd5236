"""How many mails were delivered, bounced and complained of, by what they have in common."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import sqrt

from contactctl.domain.criteria.values import parse_duration

_LIMIT = re.compile(r"(bounces|complaints) *= *([0-9]{1,3}(?:\.[0-9]{1,6})?) *%?\Z", re.ASCII)
_SHORT = re.compile(r"([0-9]{1,6})([hdw])\Z", re.ASCII)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_CONFIDENCE = 1.96  # 95 %, two-sided
ENOUGH_MAILS = 100  # a row with fewer says too little to be compared with a limit


class ReportBy(StrEnum):
    """What the rows of a report are."""

    DOMAIN = "domain"
    HOST = "host"
    CATEGORY = "category"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Figures:
    """One row: `name` is a domain, a host, a category or a day. Rates are in percent.

    `bounced` counts refusals of whatever category, for good and for now; the mails tried are those
    delivered and those bounced. A rate is None where it would divide by nothing.
    """

    name: str
    delivered: int = 0
    bounced: int = 0
    complained: int = 0

    @property
    def tried(self) -> int:
        return self.delivered + self.bounced

    @property
    def bounce_rate(self) -> float | None:
        return _percent(self.bounced, self.tried)

    @property
    def complaint_rate(self) -> float | None:
        return _percent(self.complained, self.delivered)

    @property
    def badness(self) -> float:
        """The least share of bad mails that is likely: Wilson's lower bound of the interval.

        One of one mail says less than ten of a hundred.
        """
        bad, all_ = self.bounced + self.complained, max(self.tried, self.bounced + self.complained)
        if not bad:
            return 0.0
        share, z2 = bad / all_, _CONFIDENCE**2
        spread = _CONFIDENCE * sqrt(share * (1 - share) / all_ + z2 / (4 * all_**2))
        return (share + z2 / (2 * all_) - spread) / (1 + z2 / all_)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The most percent of `what`, `bounces` or `complaints`, that are still well."""

    what: str
    percent: float

    def __str__(self) -> str:
        return f"{self.what}={self.percent:g}%"

    def is_exceeded_by(self, figures: Figures) -> bool:
        """Complaints without any delivery known exceed every limit: nobody can tell their rate."""
        number, rate = figures.bounced, figures.bounce_rate
        if self.what == "complaints":
            number, rate = figures.complained, figures.complaint_rate
        return number > 0 and (rate is None or rate > self.percent)


def total_of(rows: Iterable[Figures]) -> Figures:
    """All rows together."""
    every = list(rows)
    return Figures(
        "all",
        sum(row.delivered for row in every),
        sum(row.bounced for row in every),
        sum(row.complained for row in every),
    )


def worst_first(rows: Iterable[Figures]) -> list[Figures]:
    """The rows by their likely share of bad mails."""
    return sorted(rows, key=lambda row: (-row.badness, -row.delivered, row.name))


def over_limit(rows: Sequence[Figures], total: Figures, limit: RateLimit) -> list[Figures]:
    """All together, and each row of enough mails, that exceed the limit."""
    compared = [total, *(row for row in rows if row.tried >= ENOUGH_MAILS)]
    return [each for each in compared if limit.is_exceeded_by(each)]


def parse_rate_limit(text: str) -> RateLimit:
    """`complaints=0.3%`, `bounces=5%`. Raises ValueError."""
    match = _LIMIT.match(text.strip().lower())
    if match is None or float(match[2]) > 100:
        raise ValueError(f"'{text}' is neither complaints=PERCENT nor bounces=PERCENT")
    return RateLimit(match[1], float(match[2]))


def parse_period(text: str) -> timedelta:
    """`7d`, `24h`, `2w`, or as durations are written: `7 days`. Raises ValueError."""
    short = _SHORT.match(text.strip().lower())
    return parse_duration(f"{short[1]} {_UNITS[short[2]]}" if short else text)


def _percent(part: int, whole: int) -> float | None:
    return part * 100 / whole if whole else None
