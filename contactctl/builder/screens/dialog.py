"""What the small screens over another one have in common."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another one; closed once, even if more keys are already queued."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Back to the screen below, which always stays."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
