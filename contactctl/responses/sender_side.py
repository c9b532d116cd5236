"""Refusals that are about the sender, not about the recipient (`sender_side.yaml`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from contactctl.domain.responses import Category, Response

SENDER_SIDE = "sender-side"  # response.not_counted
_MOST_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class SenderFault:
    """What of the sender was refused (`host`, `authentication`, ...), and what to repair."""

    about: str
    repair: str
    rules: frozenset[str]
    statuses: frozenset[str]


def is_sender_side(response: Response) -> bool:
    """Whether the refusal says nothing about its recipient."""
    if response.category is not Category.BLOCKED:
        return False
    return fault_of(response.rule, response.status) is not None


@lru_cache(_MOST_KNOWN)
def fault_of(rule: str, status: str) -> SenderFault | None:
    """What was refused by a rule of that id and that enhanced status; None: the recipient."""
    detail = status.partition(".")[2]
    return next(
        (fault for fault in _faults() if rule in fault.rules or detail in fault.statuses), None
    )


def reasons_by_fault(
    reasons: Iterable[tuple[str, str]],
) -> dict[SenderFault, list[tuple[str, str]]]:
    """The (rule, status) that speak of each fault."""
    found: dict[SenderFault, list[tuple[str, str]]] = {}
    for rule, status in reasons:
        fault = fault_of(rule, status)
        if fault is not None:
            found.setdefault(fault, []).append((rule, status))
    return found


@cache
def _faults() -> tuple[SenderFault, ...]:
    import yaml  # noqa: PLC0415 (a store that holds none of these does without)

    text = files("contactctl.responses").joinpath("sender_side.yaml").read_text("utf-8")
    return tuple(
        SenderFault(
            each["about"],
            each["repair"],
            frozenset(each["rules"]),
            frozenset(each["statuses"]),
        )
        for each in yaml.safe_load(text)
    )
