"""How a plan must be confirmed: by the count, and by more if it is over a limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.errors import OverLimitError, RefusedError
from contactctl.domain.policies import Limits

_LONGEST = 40  # characters of a count; Python refuses to read thousands of digits


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is about to be confirmed: `verb` is the run's, `count` is a share of `total`."""

    verb: str
    count: int
    total: int
    limits_exceeded: Sequence[str] = ()

    @property
    def phrase(self) -> str:
        """What a person types when the plan is over a limit."""
        return f"{self.verb} {self.count} of {self.total}"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a script gives instead of a person: the count, and again to exceed a limit."""

    count: int
    limit_override: int | None = None


def stakes_of(verb: str, count: int, total: int, limits: Limits) -> Stakes:
    """The stakes of changing `count` of `total` contacts under these limits."""
    return Stakes(verb, count, total, limits.exceeded(count, total))


def parse_count(text: str) -> int | None:
    """A count as people write it: 1284 or 1,284; None for anything else."""
    digits = text.strip()
    if not (digits.isascii() and digits.replace(",", "").isdigit() and len(digits) <= _LONGEST):
        return None
    count = int(digits.replace(",", ""))
    return count if digits in (str(count), f"{count:,}") else None


def require_confirmed(stakes: Stakes, said: Confirmation) -> None:
    """RefusedError unless exactly this count was confirmed, and with it any limit."""
    if said.count != stakes.count:
        raise RefusedError(
            f"--confirm says {said.count:,}, but {stakes.count:,} contacts match;"
            " nothing was changed",
            hint="look at the preview again; contacts may have changed since then",
            code="wrong-count",
        )
    if stakes.limits_exceeded and said.limit_override != stakes.count:
        raise OverLimitError(
            f"over the limits: {'; '.join(stakes.limits_exceeded)}; nothing was changed",
            hint=f"if the count is right, add --limit-override {stakes.count}",
        )
