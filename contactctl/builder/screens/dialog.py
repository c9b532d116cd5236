"""What the small screens have in common."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another one; left once, also when further keys are on their way already."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Back to the screen below, which never goes with it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
