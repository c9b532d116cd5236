"""Plans over the limits, which wait for somebody to confirm them."""

from contactctl.domain.errors import RefusedError
from contactctl.domain.runs import Run


def refusal_of(waiting: Run | None, undone: str) -> RefusedError | None:
    """Why not all that is due was done (`undone`: "deactivated", say); None where it was."""
    if waiting is None:
        return None
    return RefusedError(
        f"{waiting.planned:,} contacts wait in run {waiting.id} and were not {undone}:"
        f" {waiting.message}",
        hint=f"look at `contactctl runs show {waiting.id}`;"
        f" `contactctl runs apply {waiting.id}` asks for its confirmation",
        code="limits",
    )
