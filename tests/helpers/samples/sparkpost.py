"""A sample of every event that SparkPost documents."""

from typing import Any

from helpers.samples.cases import (
    BLOCKED,
    COMPLAINT,
    FAILURE,
    FULL,
    INVALID,
    NO_USER,
    SAYS_NOTHING,
    TRANSIENT,
    UNKNOWN,
    Case,
)


def sparkpost(type_: str, *, kind: str = "message_event", **fields: Any) -> dict[str, Any]:
    event = {
        "type": type_,
        "event_id": f"sp-{type_}-{'-'.join(str(value) for value in fields.values())}"[:90],
        "timestamp": "1772359200",
        "rcpt_to": "kari@example.org",
        "raw_rcpt_to": "Kari@example.org",
        "transmission_id": "sp-transmission",
    }
    return {"msys": {kind: event | fields}}


def _classed(bounce_class: str, reason: str = SAYS_NOTHING, type_: str = "bounce") -> Any:
    return sparkpost(type_, bounce_class=bounce_class, raw_reason=reason, error_code="550")


_SUPPRESSED = "554 5.7.1 [internal] recipient address suppressed due to customer policy"


SPARKPOST: list[Case] = [
    (_classed("1"), [UNKNOWN]),
    (_classed("1", NO_USER), [INVALID]),
    (_classed("10", FULL), [INVALID]),
    (_classed("20"), [TRANSIENT]),
    (_classed("20", NO_USER), [INVALID]),
    (_classed("21"), [FAILURE]),
    (_classed("22"), [TRANSIENT]),
    (_classed("23"), [TRANSIENT]),
    (_classed("24"), [FAILURE]),
    (_classed("25"), [BLOCKED]),
    (_classed("30"), [INVALID]),
    (_classed("40"), [UNKNOWN]),
    (_classed("40", FULL), [TRANSIENT]),
    *((_classed(number), [BLOCKED]) for number in ("50", "51", "52", "53", "54")),
    (_classed("60"), []),
    (_classed("80"), ["resubscribed"]),
    (_classed("90"), ["unsubscribed"]),
    (_classed("100"), []),
    (_classed("70"), [FAILURE]),
    (_classed("999"), [UNKNOWN]),
    (_classed("25", _SUPPRESSED), [f"{INVALID}/echo"]),
    (_classed("10", type_="out_of_band"), [INVALID]),
    (_classed("25", type_="policy_rejection"), [f"{BLOCKED}/own-refusal"]),
    (
        sparkpost("generation_rejection", kind="gen_event", raw_reason=_SUPPRESSED),
        [f"{INVALID}/echo"],
    ),
    (
        sparkpost("generation_rejection", kind="gen_event", reason="empty"),
        [f"{BLOCKED}/own-refusal"],
    ),
    (
        sparkpost("generation_failure", kind="gen_event", reason="template"),
        [f"{BLOCKED}/own-refusal"],
    ),
    (sparkpost("delay", bounce_class="20", raw_reason=FULL), [f"{FAILURE}/delayed"]),
    (sparkpost("spam_complaint", fbtype="abuse"), [COMPLAINT]),
    (sparkpost("delivery"), ["delivered"]),
    *((sparkpost(name, kind="track_event"), ["opened"]) for name in ("open", "initial_open")),
    (sparkpost("click", kind="track_event"), ["clicked"]),
    (
        sparkpost("click", kind="track_event", user_agent="Mozilla/5.0 (compatible; bingbot/2.0)"),
        ["clicked by machine"],
    ),
    (sparkpost("injection"), []),
    (
        sparkpost("open", kind="track_event", user_agent_parsed={"isProxy": True}),
        ["opened by machine"],
    ),
    (
        sparkpost("click", kind="track_event", user_agent_parsed={"isPrefetched": True}),
        ["clicked by machine"],
    ),
    (sparkpost("list_unsubscribe", kind="unsubscribe_event"), ["unsubscribed"]),
    (sparkpost("link_unsubscribe", kind="unsubscribe_event"), ["unsubscribed"]),
    ({"msys": {}}, []),
    (sparkpost("teleport"), [f"{UNKNOWN}/unrecognised-event"]),
]
