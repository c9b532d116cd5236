"""Plans over the limits, which wait for somebody to confirm them."""

from collections.abc import Sequence

from contactctl.domain.errors import OverLimitError
from contactctl.domain.runs import Run
from contactctl.domain.text import counted

_HELD_BACK = "held until confirmed"


def message_of(limits_exceeded: Sequence[str]) -> str:
    """What a plan's run says of the limits; it stays true when the plan is applied."""
    return f"{_HELD_BACK}: {'; '.join(limits_exceeded)}" if limits_exceeded else ""


def refusal_of(waiting: Run | None, undone: str) -> OverLimitError | None:
    """Why not all that is due was done (`undone`: "deactivated", say); None where it was."""
    if waiting is None:
        return None
    return OverLimitError(
        f"run {waiting.id}, {counted(waiting.planned, 'contact')} to be {undone}, is"
        f" {waiting.message or _HELD_BACK}",
        hint=f"`contactctl runs show {waiting.id}` shows it;"
        f" `contactctl runs apply {waiting.id}` asks for its confirmation",
    )
