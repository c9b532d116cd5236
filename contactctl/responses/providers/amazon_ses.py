"""Amazon SES: feedback notifications and event publishing, bare or wrapped by SNS.

Source: Amazon SES developer guide, "notification contents" and "event publishing examples";
API_Bounce for the bounce types.
"""

from collections.abc import Iterable, Iterator

from contactctl.domain.responses import ActivityKind, Category, Event, Rejection
from contactctl.responses.fields import (
    address_of,
    event_key,
    instant_of,
    list_of,
    object_of,
    text_of,
)
from contactctl.responses.json_text import decode
from contactctl.responses.providers.verdict import (
    NOT_A_RESPONSE,
    OWN_REFUSAL,
    Classify,
    Report,
    Verdict,
    activity,
    certain,
    delayed,
    echo,
    respond,
    unless_text_says,
    unrecognised,
)

_BOUNCES = {
    "permanent-general": unless_text_says(Category.INVALID_ADDRESS),
    "permanent-noemail": certain(Category.INVALID_ADDRESS),
    "permanent-suppressed": echo(Category.INVALID_ADDRESS),
    "permanent-onaccountsuppressionlist": echo(Category.INVALID_ADDRESS),
    "permanent-unsubscribedrecipient": NOT_A_RESPONSE,
    "transient-general": unless_text_says(Category.COMMUNICATION_FAILURE),
    "transient-mailboxfull": certain(Category.TRANSIENT),
    "transient-messagetoolarge": certain(Category.TRANSIENT),
    "transient-contentrejected": certain(Category.BLOCKED),
    "transient-attachmentrejected": certain(Category.BLOCKED),
    "undetermined-undetermined": unless_text_says(Category.UNKNOWN),
}
_NO_SUCH_DOMAIN = certain(Category.INVALID_ADDRESS)
# SES sends out-of-office replies as Transient/General too; they carry no word of a server
_SILENT_GENERAL = Verdict(Category.COMMUNICATION_FAILURE, "auto-reply")
_NO_COMPLAINTS = ("not-spam", "auth-failure")
_ACTIVITIES = {
    "delivery": ActivityKind.DELIVERED,
    "open": ActivityKind.OPENED,
    "click": ActivityKind.CLICKED,
}
_NO_RESPONSES = ("send", "subscription", "rendering failure", "renderingfailure")
_SNS_ADMINISTRATION = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


def recognises(event: dict[str, object]) -> bool:
    """Whether this is an SNS envelope or an SES event."""
    if "TopicArn" in event or ("Message" in event and "Type" in event and "MessageId" in event):
        return True
    return "mail" in event and ("notificationType" in event or "eventType" in event)


def read(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    """One event, or one rejection that says what to do with what is none."""
    if "Message" not in event and event.get("Type") not in _SNS_ADMINISTRATION:
        return _read_bare(event, source, classify)
    return _read_wrapped(event, source, classify)


def _read_wrapped(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    type_ = text_of(event.get("Type"))
    if type_ in _SNS_ADMINISTRATION:
        return [
            Rejection(source, f"SNS {type_}: no event; open its SubscribeURL to confirm the topic")
        ]
    message = event.get("Message")
    if isinstance(message, str):
        try:
            message = decode(message)
        except ValueError as error:
            return [Rejection(source, f"SNS Message is no JSON ({error}): no SES event")]
    if not isinstance(message, dict):
        return [Rejection(source, "SNS Message is no JSON object: no SES event")]
    return _read_bare(message, source, classify)


def _read_bare(event: dict[str, object], source: str, classify: Classify) -> Iterable[Event]:
    type_ = text_of(event.get("eventType") or event.get("notificationType"))
    name = type_.lower()
    if name == "bounce":
        return _read_bounce(event, source, classify)
    if name == "complaint":
        return _read_complaint(event, source, classify)
    if name == "deliverydelay":
        return _read_delay(event, source, classify)
    if name in _ACTIVITIES:
        return _read_activity(event, source, name)
    if name in _NO_RESPONSES:
        return []
    return _read_undelivered(event, source, classify, type_)


def _read_bounce(event: dict[str, object], source: str, classify: Classify) -> Iterator[Event]:
    bounce = object_of(event.get("bounce"))
    name = f"{text_of(bounce.get('bounceType'))}-{text_of(bounce.get('bounceSubType'))}".lower()
    recipients = list_of(bounce.get("bouncedRecipients"))
    for recipient, report in _reports(event, name, bounce, recipients, source):
        silent = not (report.status or report.diagnostic or text_of(recipient.get("action")))
        if name.startswith("transient-") and report.status == "5.4.4":
            report.event = "transient-5.4.4"
            yield from respond(report, _NO_SUCH_DOMAIN, classify)
        elif name == "transient-general" and silent:
            report.event = "transient-general-silent"
            yield from respond(report, _SILENT_GENERAL, classify)
        elif name in _BOUNCES:
            yield from respond(report, _BOUNCES[name], classify)
        else:
            yield from unrecognised(report, classify)


def _read_complaint(event: dict[str, object], source: str, classify: Classify) -> Iterator[Event]:
    complaint = object_of(event.get("complaint"))
    feedback_type = text_of(complaint.get("complaintFeedbackType")).lower()
    if feedback_type in _NO_COMPLAINTS:
        return
    verdict, name = certain(Category.SPAM_COMPLAINT), "complaint"
    if text_of(complaint.get("complaintSubType")).lower() == "onaccountsuppressionlist":
        verdict, name = echo(Category.SPAM_COMPLAINT), "complaint-onaccountsuppressionlist"
    recipients = list_of(complaint.get("complainedRecipients"))
    for _, report in _reports(event, name, complaint, recipients, source):
        report.diagnostic = feedback_type
        yield from respond(report, verdict, classify)


def _read_delay(event: dict[str, object], source: str, classify: Classify) -> Iterator[Event]:
    delay = object_of(event.get("deliveryDelay"))
    recipients = list_of(delay.get("delayedRecipients"))
    for _, report in _reports(event, "delivery-delay", delay, recipients, source):
        report.diagnostic = report.diagnostic or text_of(delay.get("delayType"))
        yield from respond(report, delayed(Category.COMMUNICATION_FAILURE), classify)


def _read_activity(event: dict[str, object], source: str, name: str) -> Iterator[Event]:
    details = object_of(event.get(name))
    destinations = list_of(object_of(event.get("mail")).get("destination"))
    if name == "delivery":
        recipients = list_of(details.get("recipients")) or destinations
    elif len(destinations) > 1:
        return  # SES does not say which of the recipients opened or clicked
    else:
        recipients = destinations
    for _, report in _reports(event, name, details, recipients, source):
        yield activity(report, _ACTIVITIES[name])


def _read_undelivered(
    event: dict[str, object], source: str, classify: Classify, type_: str
) -> Iterator[Event]:
    """What SES itself refused, and what its documentation does not know."""
    mail = object_of(event.get("mail"))
    rejected = type_.lower() == "reject"
    for _, report in _reports(event, type_, mail, list_of(mail.get("destination")), source):
        if rejected:
            report.event = "reject"
            report.diagnostic = text_of(object_of(event.get("reject")).get("reason"))
            yield from respond(report, OWN_REFUSAL, classify)
        else:
            yield from unrecognised(report, classify)


def _reports(
    event: dict[str, object],
    name: str,
    details: dict[str, object],
    recipients: list[object],
    source: str,
) -> Iterator[tuple[dict[str, object], Report]]:
    """Each recipient entry with its report; one without a recipient where there is no entry."""
    feedback_id = text_of(details.get("feedbackId"))
    message_id = object_of(event.get("mail")).get("messageId")
    # a complaint's arrivalDate is when it was made, its timestamp when SES passed it on
    occurred_at = instant_of(details.get("arrivalDate")) or instant_of(details.get("timestamp"))
    for entry in recipients or [None]:
        recipient = entry if isinstance(entry, dict) else {"emailAddress": entry}
        address = address_of(recipient.get("emailAddress"))
        # one feedback id covers all recipients of an event
        identifier = f"{feedback_id}:{address.lower()}" if feedback_id else ""
        yield (
            recipient,
            Report(
                provider="ses",
                event=name,
                source=source,
                key=event_key("ses", identifier, message_id, name, occurred_at, address),
                recipient=address,
                occurred_at=occurred_at,
                diagnostic=text_of(recipient.get("diagnosticCode")),
                status=text_of(recipient.get("status")),
            ),
        )
