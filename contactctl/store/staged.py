"""Rows for temporary tables, as Python holds them; imported without SQLAlchemy."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Staged = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Activities:
    """Signs of life as staged rows; an instant is None where nobody says when.

    `latest` has no key twice: (email key, when last delivered, opened by a person, by a machine,
    the latest sign of all). `deliveries` are (email key, instant, hash of the source key), `clicks`
    (email key, instant), none twice.
    """

    latest: Sequence[Staged] = ()
    deliveries: Sequence[Staged] = ()
    clicks: Sequence[Staged] = ()

    @property
    def email_keys(self) -> set[str]:
        return {row[0] for rows in (self.latest, self.deliveries, self.clicks) for row in rows}

    def of_contacts(self, ids: Mapping[str, int]) -> "Activities":
        """The same by contact: its id in place of the key; without those of nobody."""
        owned = (
            [(ids[row[0]], *row[1:]) for row in rows if row[0] in ids]
            for rows in (self.latest, self.deliveries, self.clicks)
        )
        return Activities(*owned)

    def without(self, email_keys: AbstractSet[str]) -> "Activities":
        """Those of all other addresses."""
        kept = (
            [row for row in rows if row[0] not in email_keys]
            for rows in (self.latest, self.deliveries, self.clicks)
        )
        return Activities(*kept)


def stored_instant(moment: datetime) -> str:
    """An aware instant as staged rows hold it: UTC, as SQLite sorts it and Postgres reads it."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # isoformat asks for the offset first, and takes half as long again
    return "%04d-%02d-%02d %02d:%02d:%02d.%06d" % (  # noqa: UP031 (f-strings take twice as long)
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond,
    )
