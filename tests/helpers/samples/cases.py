"""What the samples of all providers share.

A case is (event, what must come of it): per recipient a category, with the reason why it does not
count behind a slash, or an activity; nothing for what is no response.
"""

from typing import Any

Case = tuple[dict[str, Any], list[str]]

FULL = "552 5.2.2 The recipient's mailbox is over quota"
NO_USER = "550 5.1.1 User unknown"
SAYS_NOTHING = "it came back for reasons of our own"
INVALID, TRANSIENT, UNKNOWN = "invalid-address", "transient", "unknown"
COMPLAINT, FAILURE, BLOCKED = "spam-complaint", "communication-failure", "blocked"
