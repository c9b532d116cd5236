"""How the state of the store is shown."""

from itertools import dropwhile

from contactctl.domain.runs import RunState
from contactctl.domain.text import counted
from contactctl.operations.status import StoreStatus
from contactctl.output import view
from contactctl.output.criteria import Pairs
from contactctl.output.picture import bars_svg
from contactctl.output.policy import NO_POLICY
from contactctl.output.runs import run_data, runs_table
from contactctl.output.values import age_text, to_people

# what a program watches over, with what it means
_WATCHED = {
    "unfinished_runs": "Runs at work or interrupted.",
    "waiting_plans": "Plans that wait to be applied.",
    "waiting_contacts": "Contacts in plans of thresholds.",
    "held_responses": "Responses that wait for a decision.",
    "unsubscribes": "Unsubscribes that are recorded.",
}
_MONTHS_FOR_PEOPLE = 6  # with more, the totals would scroll off a screen of 24 lines


def present_status(status: StoreStatus) -> view.Presentation:
    """Totals, reasons, billing, deactivations by month and the latest runs."""
    runs = [run_data(run) for run in status.latest_runs]
    data: dict[str, object] = {
        **view.picked(status, ("database", "active", "inactive", "total")),
        "open_deactivations": [
            {"origin": origin, "category": category or None, "number": number}
            for origin, category, number in status.open_deactivations
        ],
        "billing": status.tier
        and {"currency": status.currency, "price": status.tier.price, "up_to": status.tier.up_to},
        **view.picked(status, (*_WATCHED, "unmatched_unsubscribes")),
        "deactivations_per_month": [
            {"month": month, "number": number} for month, number in status.per_month
        ],
        "latest_runs": runs,
        "policy": status.policy,
        "last_sweep": status.last("sweep"),
        "last_fetch": status.last("fetch"),
        "last_done": dict(status.last_done),
        "bypassing_groups": list(status.bypassing),
    }
    blocks: list[view.Block] = [view.KeyValues(_totals(status))]
    if months := list(dropwhile(_is_empty, status.per_month[-_MONTHS_FOR_PEOPLE:])):
        blocks += [view.Heading("Deactivations per month"), view.Bars(months)]
    if runs:
        blocks += [view.Heading("Latest runs"), runs_table(status.latest_runs, with_reasons=False)]
    return view.Presentation(data, None, blocks, metrics=status_metrics(status))


def status_metrics(status: StoreStatus) -> list[view.Metric]:
    """What a program that watches over stores wants to know; instants as Unix time."""
    contacts = {"active": status.active, "inactive": status.inactive}
    month, deactivated = status.per_month[-1]
    return [
        *(_metric("contacts", "Contacts.", n, status=name) for name, n in contacts.items()),
        *(
            _metric("open_deactivations", "Reasons to be inactive.", n, origin=o, category=c)
            for o, c, n in status.open_deactivations
        ),
        *(_metric(name, told, getattr(status, name)) for name, told in _WATCHED.items()),
        _metric("deactivations_of_month", "Deactivated this month.", deactivated, month=month),
        *(
            _metric("responses_of_day", "Counted within 24 hours.", n, category=category)
            for category, n in status.responses_of_day.items()
        ),
        *(
            _metric("last_done_timestamp_seconds", "End of cron's work.", at.timestamp(), work=work)
            for work, at in status.last_done.items()
        ),
    ]


def status_picture(status: StoreStatus) -> str:
    """Deactivations per month, as SVG."""
    note = f"{status.active:,} active, {status.inactive:,} inactive on {status.as_of:%Y-%m-%d}"
    bars = [(month, [(number, "#2563a8")], f"{number:,}") for month, number in status.per_month]
    return bars_svg("Deactivations per month", bars, note)


def _metric(name: str, meaning: str, value: float, **labels: str) -> view.Metric:
    return view.Metric(f"contactctl_{name}", meaning, value, labels)


def _is_empty(month: tuple[str, int]) -> bool:
    return month[1] == 0


def _totals(status: StoreStatus) -> Pairs:
    pairs: Pairs = [
        ("Database", status.database),
        ("Policy", status.policy or NO_POLICY),
        ("Active", f"{status.active:,}"),
        ("Inactive", f"{status.inactive:,}"),
        ("Total", f"{status.total:,}"),
    ]
    if status.tier is not None:
        size = "any number" if status.tier.up_to is None else f"up to {status.tier.up_to:,}"
        pairs.append(("Billing", f"{status.currency} {status.tier.price} ({size})"))
    pairs += [
        (f"Open: {origin}{f', {category}' if category else ''}", f"{number:,}")
        for origin, category, number in status.open_deactivations
    ]
    if status.unsubscribes or status.unmatched_unsubscribes:
        nobody = status.unmatched_unsubscribes
        besides = f", and {nobody:,} of addresses that no contact has" if nobody else ""
        pairs.append(("Unsubscribes", f"{status.unsubscribes:,}{besides}"))
    for label, work in (("Last sweep", "sweep"), ("Last fetch", "fetch")):
        if at := status.last(work):
            pairs.append((label, f"{to_people(at)}, {age_text(status.as_of - at)} ago"))
    if status.bypassing:
        names = ", ".join(status.bypassing)
        pairs.append(("Bypass", f"{names}: mails contacts that are inactive system-wide"))
    if status.unfinished_runs:
        pairs.append(_to_look_at("Unfinished", status.unfinished_runs, "run", RunState.RUNNING))
    if status.waiting_plans:
        pairs.append(_to_look_at("Waiting", status.waiting_plans, "plan", RunState.PLANNED))
    if status.waiting_contacts:
        pairs.append(("At a threshold, waiting", counted(status.waiting_contacts, "contact")))
    if status.held_responses:
        held = counted(status.held_responses, "response")
        pairs.append(("Held", f"{held}; contactctl responses incidents"))
    return pairs


def _to_look_at(label: str, number: int, noun: str, state: RunState) -> tuple[str, object]:
    return label, f"{counted(number, noun)}; contactctl runs list --state {state}"
