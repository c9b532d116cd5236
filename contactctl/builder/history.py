"""Undo and redo: the states that a draft has had."""

from collections.abc import Hashable

from contactctl.builder.draft import Draft, State

_MOST_STATES = 500


class History:
    """Remembers the draft after every edit; typing in one entry is one edit."""

    def __init__(self, state: State) -> None:
        self._now = state
        self._before: list[State] = []
        self._after: list[State] = []
        self._last_entry: Hashable | None = None

    def remember(self, draft: Draft, entry: Hashable | None = None) -> None:
        """The draft has been edited; `entry` is where, if more edits there belong to this one."""
        state = draft.state()
        if state == self._now:
            return
        if entry is None or entry != self._last_entry:
            self._before = [*self._before[1 - _MOST_STATES :], self._now]
        self._last_entry = entry
        self._now = state
        self._after.clear()

    def undo(self) -> State | None:
        """The state before the last edit; None where there is none."""
        return self._step(self._before, self._after)

    def redo(self) -> State | None:
        """The state that was undone last; None where there is none."""
        return self._step(self._after, self._before)

    def _step(self, source: list[State], target: list[State]) -> State | None:
        self._last_entry = None
        if not source:
            return None
        target.append(self._now)
        self._now = source.pop()
        return self._now
