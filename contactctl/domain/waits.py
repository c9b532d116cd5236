"""How long a store waits, in seconds; nothing waits for ever."""

from collections.abc import Callable
from dataclasses import dataclass, replace

FOR_LOCKS_S = 30.0  # such as changes of contacts by another process
FOR_INGEST_S = 300.0  # which may be reading a mailbox or large files
FOR_ONE_CONTACT_S = 10.0  # to be added, while an import creates contacts
FOR_ANSWERS_S = 300.0
TO_CONNECT_S = 10.0
FOR_FIRST_ANSWER_S = 30.0  # of a server that was just connected to; a pooler may have a queue
IS_LONG_S = 1.0
ON_LONG_WAIT = "on_long_wait"  # the name of that callback where connections carry it
_SHORTEST_LOCK_WAIT_S = 1.0  # a batch of another process is no reason to give up at once


def _tell_nobody() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Waits:
    """`locks_s`: for what another process or program has locked; `answers_s`: for the server to
    answer one statement, or to send more of its answer. `on_long_wait` is called when a lock takes
    longer than a second. `can_be_longer`: the command has --wait."""

    locks_s: float = FOR_LOCKS_S
    answers_s: float = FOR_ANSWERS_S
    on_long_wait: Callable[[], None] = _tell_nobody
    can_be_longer: bool = True

    @property
    def locks_ms(self) -> int:
        return int(max(self.locks_s, _SHORTEST_LOCK_WAIT_S) * 1000)


DEFAULT_WAITS = Waits()


def waits_of(
    wait: float | None, timeout: float, on_long_wait: Callable[[], None] | None = None
) -> Waits:
    """How long a store waits: `--wait`, None where a command has none, and `--timeout`."""
    locks_s = FOR_LOCKS_S if wait is None else wait
    waits = Waits(locks_s, timeout, can_be_longer=wait is not None)
    return replace(waits, on_long_wait=on_long_wait) if on_long_wait else waits
