"""The rows of a report: ours beside what it is held against."""

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

HEADER = (
    f"{'what':34} {'database':9} {'contacts':>10} {'by hand':>10} {'contactctl':>11}"
    f" {'ratio':>6} {'target':>7}"
)


def seconds_of(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def compare(
    what: str,
    kind: str,
    contacts: int,
    by_hand: Sequence[float],
    ours: Sequence[float],
    target: float,
) -> None:
    """Print medians and their ratio; the samples were taken in turn, in seconds."""
    hand, own = statistics.median(by_hand), statistics.median(ours)
    ratio = own / hand
    verdict = "" if ratio <= target else "  missed"
    print(
        f"{what:34} {kind:9} {contacts:>10,} {hand:>8.3f} s {own:>9.3f} s"
        f" {ratio:>6.2f} {target:>6.2f}x{verdict}",
        flush=True,
    )


def limit(what: str, kind: str, contacts: int, figure: float, unit: str, target: float) -> None:
    """Print a figure that must not be over `target`."""
    verdict = "" if figure <= target else "  missed"
    print(
        f"{what:34} {kind:9} {contacts:>10,} {'':>10} {figure:>8.2f} {unit:2}"
        f" {'':>6} {target:>4.2f} {unit:2}{verdict}",
        flush=True,
    )
