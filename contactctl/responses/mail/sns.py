"""Amazon SES events that SNS sends by mail: JSON as the text of a mail."""

from contactctl.responses.json_stream import decode_at
from contactctl.responses.mail.anatomy import Anatomy

_MAX_JSON_CHARACTERS = 1 << 17


def sns_event(anatomy: Anatomy) -> dict[str, object] | None:
    """The event in a mail from SNS; None for any other mail."""
    if not _is_from_sns(anatomy):
        return None
    # some servers fold long lines with an exclamation mark (RFC 5321's limit on lines)
    text = anatomy.said[:_MAX_JSON_CHARACTERS].replace("!\n ", "").lstrip()
    if not text.startswith("{"):
        return None
    try:
        event, _ = decode_at(text, 0)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _is_from_sns(anatomy: Anatomy) -> bool:
    sender = anatomy.headers.get("from").rstrip("> ").lower()
    return "x-amz-sns-message-id" in anatomy.headers or sender.endswith("@sns.amazonaws.com")
