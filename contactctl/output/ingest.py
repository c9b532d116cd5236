"""What an ingest did with the responses that it read, or would do, as it is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from contactctl.domain.bursts import SharedBy
from contactctl.domain.errors import ExitCode
from contactctl.domain.responses import Activity, Event, Response, Unsubscribe
from contactctl.domain.text import counted
from contactctl.operations.ingest import IngestResult
from contactctl.operations.plans import RulesApplied
from contactctl.output import view
from contactctl.output.criteria import Pairs
from contactctl.output.rejects import ResponseRejects
from contactctl.output.responses import incident_data, threshold_data
from contactctl.responses.rules import Rule, is_sender_side

if TYPE_CHECKING:
    from contactctl.operations.fetch import FetchResult

_SHARED = {
    SharedBy.DOMAIN: "the domain",
    SharedBy.HOST: "the receiving host",
    SharedBy.RULE: "the rule",
}
_CLASSIFIED_COLUMNS = (
    view.Column("source", for_people=False),
    view.Column("recipient"),
    view.Column("original_recipient", for_people=False),
    *view.columns("category", "counts"),
    view.Column("not_counted", for_people=False),
    view.Column("status", yields=True),
    view.Column("diagnostic", for_people=False),
    *view.columns("rule", "evidence"),
    *view.hidden("outranked", "through", "occurred_at", "channel", "group", "host", "source_key"),
)
CLASSIFIED_FIELDS = tuple(column.key for column in _CLASSIFIED_COLUMNS)
_RULE_COLUMNS = (
    view.Column("id", "RULE"),
    *view.columns("category", "from"),
    view.Column("counts", for_people=False),
    view.Column("why", wraps=True),
    *view.hidden("text", "pattern", "near", "codes"),
)
RULE_FIELDS = tuple(column.key for column in _RULE_COLUMNS)


@dataclass
class OtherEvents:
    """What was read besides responses: it is said, since nothing a person said may vanish."""

    no_response: int = 0
    activities: int = 0
    unsubscribes: int = 0
    resubscribes: int = 0
    undated: int = 0
    sender_side: int = 0

    def count(self, event: Event) -> None:
        """Count one event that is not a rejection."""
        if isinstance(event, Response):
            self.undated += event.occurred_at is None
            self.sender_side += event.counts and is_sender_side(event)
        elif isinstance(event, Unsubscribe):
            self.unsubscribes += not event.resubscribed
            self.resubscribes += event.resubscribed
        elif isinstance(event, Activity):
            self.activities += 1
        else:
            self.no_response += 1

    def warnings(self) -> list[str]:
        """Lines for people."""
        return [
            *([f"{counted(self.unsubscribes, 'unsubscribe')} read"] if self.unsubscribes else []),
            *resubscribe_warnings(self.resubscribes),
            *undated_warnings(self.undated),
            *sender_side_warnings(self.sender_side),
        ]


def sender_side_warnings(refusals: int) -> list[str]:
    """What to say of refusals that an ingest records as the sender's own."""
    if not refusals:
        return []
    verb = "refuses" if refusals == 1 else "refuse"
    return [f"{counted(refusals, 'response')} {verb} the sender: an ingest counts none of them"]


def present_classified(
    responses: Iterable[Response], rejects: ResponseRejects, others: OtherEvents
) -> view.Presentation:
    """What would be recorded. A list is known as a whole; an iterator is shown as it is read."""
    whole = isinstance(responses, Sequence)
    rows = (view.picked(each, CLASSIFIED_FIELDS) for each in responses)
    items = list(rows) if whole else rows
    return view.listed(
        "responses",
        _CLASSIFIED_COLUMNS,
        items,
        "(no responses)",
        data={"rejected": rejects.number, **asdict(others)} if whole else {},
        warnings=others.warnings() if whole else [],
        problems=rejects.problems() if whole else [],
        exit_code=ExitCode.PARTIAL if whole and rejects.number else ExitCode.DONE,
    )


def present_rules(rules: Sequence[Rule], own: Sequence[Rule]) -> view.Presentation:
    """The rules in the order they are tried."""
    items = [
        {
            "id": rule.id,
            "category": rule.category,
            "from": "config" if rule in own else "built in",
            "counts": not rule.not_counted,
            "why": rule.why,
            "text": list(rule.texts),
            "pattern": [each.pattern for each in rule.patterns],
            "near": [list(map(list, lists)) for lists in rule.near],
            "codes": list(rule.codes),
        }
        for rule in rules
    ]
    columns = [replace(c, for_people=bool(own)) if c.key == "from" else c for c in _RULE_COLUMNS]
    return view.listed("rules", columns, items)


def present_ingest(result: IngestResult, rejects: ResponseRejects) -> view.Presentation:
    """What became of the events; rejected, held or refused ones decide the exit code."""
    shown = view.Presentation(
        ingest_data(result, rejects),
        blocks=[view.KeyValues(_ingest_pairs(result)), *_incident_blocks(result)],
        notes=[] if result.read else ["nothing was read: the input holds no mail and no event"],
        warnings=[
            *_incident_warnings(result),
            *_waiting_warnings(result.thresholds),
            *resubscribe_warnings(result.counts.resubscribes),
            *undated_warnings(result.undated),
        ],
        problems=rejects.problems(),
        exit_code=ExitCode.PARTIAL if result.rejected else ExitCode.DONE,
    )
    failure = result.busy or (result.thresholds and result.thresholds.refusal)
    return shown.failed(failure) if failure else shown


def resubscribe_warnings(resubscribes: int) -> list[str]:
    """What to say of people who want mail again: one at a time, and not by an ingest."""
    if not resubscribes:
        return []
    ask = "person asks" if resubscribes == 1 else "people ask"
    return [
        f"{resubscribes:,} {ask} to get mail again, which an ingest does not decide:"
        " `contactctl reactivate EMAIL --acknowledge unsubscribed`"
    ]


def undated_warnings(undated: int) -> list[str]:
    """What to say of responses whose source does not tell when they happened."""
    if not undated:
        return []
    return [
        f"{counted(undated, 'response')} without a time: counted as of now; does another column"
        " have it? --map 'COLUMN=occurred_at'"
    ]


def ingest_data(result: IngestResult, rejects: ResponseRejects) -> dict[str, object]:
    """An ingest for programs: recorded, duplicates, activities, no_response and rejected are all
    that was read; unmatched, not_counted, held and by_category speak of those recorded."""
    counts = result.counts
    return {
        **view.picked(result, ("run", "read")),
        "no_response": result.no_responses,
        "unsubscribes": counts.unsubscribes,
        "unsubscribed": counts.obeyed.contacts,
        "left_groups": counts.obeyed.memberships,
        "resubscribes": counts.resubscribes,
        "undated": result.undated,
        **view.picked(counts, ("recorded", "duplicates", "unmatched", "not_counted")),
        "sender_side": [
            {
                "about": met.fault.about,
                "responses": met.responses,
                "contacts": met.contacts,
                "repair": met.fault.repair,
            }
            for met in result.sender_faults
        ],
        "held": result.held,
        "taken_back": result.judgement.taken_back,
        "rejected": result.rejected,
        "activities": result.activities,
        "by_category": {name: counts.by_category[name] for name in sorted(counts.by_category)},
        "deactivated": result.deactivated,
        **threshold_data(result.thresholds),
        "incidents": [incident_data(each) for each in result.judgement.incidents],
        "rejects_file": str(rejects.path) if rejects.path else None,
    }


def _ingest_pairs(result: IngestResult) -> Pairs:
    counts = result.counts
    by_category = ", ".join(
        f"{number:,} {name}" for name, number in counts.by_category.most_common()
    )
    no_response = f", {result.no_responses:,} of them not a response" if result.no_responses else ""
    pairs: Pairs = [
        ("Mails and events", f"{result.read:,}{no_response}"),
        ("Recorded", f"{counts.recorded:,}" + (f" ({by_category})" if by_category else "")),
        ("  Unmatched", f"{counts.unmatched:,}"),
        ("  Not counted", f"{counts.not_counted:,}"),
        ("  Held", f"{result.held:,}"),
        ("Duplicates", f"{counts.duplicates:,}"),
        ("Deliveries, opens, clicks", f"{result.activities:,}"),
        ("Unsubscribes", _unsubscribes_text(result)),
        ("Rejected", f"{result.rejected:,}"),
        ("Deactivated", counted(result.deactivated, "contact")),
        ("Run", "none, there was nothing new" if result.run is None else result.run),
    ]
    if not counts.unsubscribes:
        pairs = [pair for pair in pairs if pair[0] != "Unsubscribes"]
    if result.thresholds and result.thresholds.runs:
        runs = [run.id for run in result.thresholds.runs]
        pairs.append(("Deactivated in run", runs))
    return pairs


def _unsubscribes_text(result: IngestResult) -> str:
    number, obeyed = result.counts.unsubscribes, result.counts.obeyed
    contacts = counted(obeyed.contacts, "contact")
    groups = counted(obeyed.memberships, "membership")
    return f"{number:,} recorded: {contacts} deactivated, {groups} ended or deactivated"


def _incident_warnings(result: IngestResult) -> list[str]:
    """What is held, and what was taken back for it."""
    warnings = [
        f"{counted(met.contacts, 'contact')} cannot be reached"
        f" (the sender is refused by {counted(met.responses, 'response')}, not counted):"
        f" repair {met.fault.repair}"
        for met in result.sender_faults
    ]
    warnings += [
        f"incident {each.id}: {counted(each.held, f'{each.category} response')} of"
        f" {_SHARED[each.shared_by]} {each.name} held, more than is usual there"
        for each in result.judgement.incidents
    ]
    if number := result.judgement.taken_back:
        again = "is active again" if number == 1 else "are active again"
        warnings.append(f"{counted(number, 'contact')} that such responses had deactivated {again}")
    return warnings


def _waiting_warnings(applied: RulesApplied | None) -> list[str]:
    """A plan made earlier that keeps whom the responses are about from being deactivated."""
    if applied is None or applied.waiting is None or applied.is_new:
        return []
    told = "who has reached a threshold is deactivated after" * applied.waits_for_another
    plan = f"run {applied.waiting.id}, which waits for `contactctl runs apply {applied.waiting.id}`"
    return [f"{told or 'a threshold is reached, and held by'} {plan}"]


def _incident_blocks(result: IngestResult) -> list[view.Block]:
    return [
        view.Text(
            f"List: contactctl responses list --incident {each.id}\n"
            f"Then: contactctl responses release --incident {each.id}   (they count)\n"
            f"   or: contactctl responses discard --incident {each.id}   (they never will)"
        )
        for each in result.judgement.incidents
    ]


def present_fetch(result: "FetchResult", rejects: ResponseRejects) -> view.Presentation:
    """What a fetch from a provider's API found; one that stopped in time is done in part."""
    shown = present_ingest(result.ingested, rejects)
    shown = replace(shown, data={**shown.data, "source": result.source})
    if not result.is_out_of_time:
        return shown
    warning = "the time is over: the next fetch goes on with the rest (--time-limit)"
    code = ExitCode.PARTIAL if shown.exit_code == ExitCode.DONE else shown.exit_code
    return replace(shown, warnings=[*shown.warnings, warning], exit_code=code)
