"""How contacts are shown: what an import made of them, and what explains one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from contactctl.domain.contacts import ContactRecord, DeactivationRecord
from contactctl.domain.errors import ExitCode
from contactctl.domain.text import counted
from contactctl.operations.explain import Count, Expected, Explanation, Happening
from contactctl.operations.importing.load import ImportResult
from contactctl.operations.importing.options import Preset
from contactctl.output import view
from contactctl.output.criteria import contact_column
from contactctl.output.rejects import RejectsFile

if TYPE_CHECKING:
    from contactctl.operations.sync import Gone

_NAMED = 10  # of columns that an import leaves out, or of groups it creates
_FOR_PEOPLE = ("id", "email", "status", "first_name", "last_name", "last_opportunity", "group")
_IDENTITY = ("id", "email", "status")
_OF_ROWS = (
    *("created", "created_inactive", "created_unsubscribed"),
    *("updated", "unchanged", "left_active", "left_inactive", "kept_out", "joined_inactive"),
)
_OF_FILE = ("rejected", "groups_created", "columns_left_out", "rejects_file")
IMPORT_FIELDS = ("run", "dry_run", *_OF_ROWS, *_OF_FILE)
_OF_GONE = ("gone", "gone_run", "gone_state", "deactivated", "limits_exceeded")
SYNC_FIELDS = (*IMPORT_FIELDS, "source", "readdressed", *_OF_GONE, "written_back", "script")
_GONE_COLUMNS = tuple(map(contact_column, ("id", "email", "status", "last_name", "source")))
_PRESET_COLUMNS = (
    view.Column("name"),
    view.Column("about", wraps=True),
    view.Column("note", for_people=False),
)
PRESET_FIELDS = tuple(column.key for column in _PRESET_COLUMNS)
ADDED_FIELDS = ("id", "email", "run")
_GROUP_COLUMNS = view.columns("name", "state")
_DEACTIVATION_COLUMNS = (
    *view.columns("scope", "group", "origin", "category"),
    view.Column("started_at", "STARTED"),
    view.Column("ended_at", "ENDED"),
    view.Column("run"),
)


def list_order(names: Sequence[str]) -> list[str]:
    """These fields, those for people first."""
    return [*_FOR_PEOPLE, *(name for name in names if name not in _FOR_PEOPLE)]


def present_contacts(
    contacts: Iterable[ContactRecord], names: Sequence[str], more: int = 0
) -> view.Presentation:
    """Contacts with their values of these fields; people see the most important ones.

    There are so many `more` that are not shown.
    """
    columns = [contact_column(name, for_people=name in _FOR_PEOPLE) for name in names]
    rows = view.Rows("contacts", columns, (_row(contact, names) for contact in contacts))
    blocks: list[view.Block] = [view.RowsTable(empty="(no contacts)")]
    if more:
        blocks.append(view.Text(f"... and {more:,} more; --all shows them, --limit N the first N"))
    return view.Presentation(rows=rows, blocks=blocks)


_EXTERNAL_COLUMNS = view.columns("source", "id")
_FORMER_COLUMNS = view.columns("email", "until", "run")


def present_contact(contact: ContactRecord) -> view.Presentation:
    """Everything about one contact."""
    groups = [{"name": each.group, "state": each.state} for each in contact.groups]
    deactivations = [_deactivation(each) for each in contact.deactivations]
    facts: dict[str, object] = {
        **view.picked(contact, _IDENTITY),
        **contact.values,
        "tags": list(contact.tags),
        "attributes": dict(contact.attributes),
    }
    former = [
        {"email": each.email, "until": each.ended_at, "run": each.run}
        for each in contact.former_addresses
    ]
    external = [view.picked(each, ("source", "id")) for each in contact.external_ids]
    data = facts | {
        "groups": groups,
        "deactivations": deactivations,
        "former_addresses": former,
        "external_ids": external,
    }
    blocks: list[view.Block] = [
        view.KeyValues(
            [(name, value) for name, value in facts.items() if value not in (None, [], {})]
        ),
        view.Heading("Groups"),
        view.Table(_GROUP_COLUMNS, groups, empty="(in no group)"),
        view.Heading("Deactivations"),
        view.Table(_DEACTIVATION_COLUMNS, deactivations, empty="(never deactivated)"),
    ]
    if external:
        blocks += [view.Heading("Ids in sources"), view.Table(_EXTERNAL_COLUMNS, external)]
    if former:
        blocks += [view.Heading("Former addresses"), view.Table(_FORMER_COLUMNS, former)]
    return view.Presentation(data, blocks=blocks)


def present_import(result: ImportResult, rejects: RejectsFile) -> view.Presentation:
    """What became of the rows; a row that was rejected makes the exit code 5."""
    data = {
        "run": result.run,
        "dry_run": result.run is None,
        **view.picked(result.counts, _OF_ROWS),
        "rejected": result.rejected,
        "groups_created": list(result.groups_created),
        "columns_left_out": dict(result.columns_left_out),
        "rejects_file": str(rejects.path) if rejects.path else None,
    }
    told = ("created", "updated", "unchanged", "rejected")
    pairs = [(name.capitalize(), f"{data[name]:,}") for name in told]
    return view.Presentation(
        data,
        blocks=[view.KeyValues([*pairs, *_import_facts(result, rejects)])],
        notes=_import_notes(result),
        problems=rejects.problems(),
        exit_code=ExitCode.PARTIAL if result.rejected else ExitCode.DONE,
    )


def present_sync(
    source: str,
    imported: ImportResult,
    rejects: RejectsFile,
    gone: "Gone | None",
    written_back: int | None,
    script: Sequence[str] | None,
) -> view.Presentation:
    """What became of a source's rows, and of the contacts that it no longer has.

    A `script` is all that is shown to people: it goes to a file, or to another program.
    """
    shown = present_import(imported, rejects)
    data: dict[str, object] = {**shown.data, "source": source, "readdressed": imported.readdressed}
    pairs: list[tuple[str, object]] = [("Source", source)]
    if imported.readdressed:
        pairs.append(("Of these with a new address", f"{imported.readdressed:,}"))
    blocks: list[view.Block] = [view.KeyValues(pairs), *shown.blocks]
    if gone is not None:
        data |= _gone_data(gone)
        facts: list[tuple[str, object]] = [("No longer in the source", f"{gone.count:,}")]
        if gone.run is not None:
            facts += [("Deactivated", f"{gone.run.changed:,}"), ("In run", gone.run.id)]
        if gone.limits_exceeded:
            facts.append(("Over the limits", "; ".join(gone.limits_exceeded)))
        blocks.append(view.KeyValues(facts))
        if gone.rows:
            blocks.append(view.Table(_GONE_COLUMNS, gone.rows, empty=""))
    if written_back is not None:
        data["written_back"] = written_back
        blocks.append(view.KeyValues([("Rows written back", f"{written_back:,}")]))
    if script is not None:
        data["script"] = list(script)
        blocks = [view.Verbatim("".join(f"{line}\n" for line in script))]
    return replace(shown, data=data, blocks=blocks)


def _gone_data(gone: "Gone") -> Mapping[str, object]:
    run = gone.run
    return {
        "gone": gone.count,
        "gone_run": run.id if run else None,
        "gone_state": run.state if run else None,
        "deactivated": run.changed if run else 0,
        "limits_exceeded": list(gone.limits_exceeded),
    }


def present_presets(presets: Iterable[Preset]) -> view.Presentation:
    """The presets that come with the program."""
    items = [view.picked(each, PRESET_FIELDS) for each in presets]
    return view.listed("presets", _PRESET_COLUMNS, items)


def present_added(contact_id: int, email: str, run: int) -> view.Presentation:
    """A contact that was added."""
    data = {"id": contact_id, "email": email, "run": run}
    return view.Presentation(data, blocks=[view.KeyValues([("Added", email), ("Id", contact_id)])])


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _import_notes(result: ImportResult) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in result.columns_left_out.items():
        by_reason.setdefault(reason, []).append(f"'{name}'")
    notes = [f"columns left out ({reason}): {_some(names)}" for reason, names in by_reason.items()]
    notes += result.notes
    if left := result.counts.left_active:
        lines = ", ".join(map(str, result.active_lines))
        where = f" ({'line' if left == 1 else 'lines'} {lines}" * bool(lines)
        where += (", ..." * (left > len(result.active_lines)) + ")") * bool(lines)
        notes.append(
            f"status not changed by {counted(left, 'row')}{where} with inactive, of contacts active"
            " here: an import never does so; `contactctl deactivate --emails FILE` does"
        )
    if left := result.counts.left_inactive:
        notes.append(
            f"status not changed by {counted(left, 'row')} with active, of contacts inactive here:"
            " an import never does so; `contactctl explain EMAIL` says why one is inactive"
        )
    if kept_out := result.counts.kept_out:
        notes.append(
            f"{counted(kept_out, 'membership')} not given: the people have left the group;"
            " `contactctl groups add` brings one back who wishes so"
        )
    if inactive := result.counts.joined_inactive:
        notes.append(
            f"{counted(inactive, 'row')} with a group of contacts that are inactive here, who get"
            " no mail: `contactctl groups members GROUP` shows them"
        )
    return [*notes, "a dry run: nothing was changed"] if result.run is None else notes


def _import_facts(result: ImportResult, rejects: RejectsFile) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = []
    if result.counts.created_inactive:
        facts.append(("Created inactive", f"{result.counts.created_inactive:,}"))
    if unsubscribed := result.counts.created_unsubscribed:
        facts.append(("Unsubscribed", f"{unsubscribed:,} of those created, who left before"))
    if result.groups_created:
        facts.append(("Groups created", _some(result.groups_created)))
    if result.rejected and rejects.path:
        facts.append(("Rejected rows", str(rejects.path)))
    if result.run is not None:
        facts.append(("Run", result.run))
    return facts


def _row(contact: ContactRecord, names: Sequence[str]) -> view.Row:
    values = contact.by_field()
    return {name: values.get(name) for name in names}


def _deactivation(each: DeactivationRecord) -> dict[str, object]:
    names = (column.key for column in _DEACTIVATION_COLUMNS)
    return view.picked(each, names) | {"category": each.category or None}


# How one contact is explained


_TIMELINE_COLUMNS = (
    *view.columns("at", "kind", "category"),
    *view.hidden("group"),  # the text names it
    view.Column("run"),
    view.Column("text", wraps=True),
)
TIMELINE_FIELDS = tuple(column.key for column in _TIMELINE_COLUMNS)
_COUNT_COLUMNS = (
    *view.columns("category", "group", "through", "counted", "threshold"),
    view.Column("within_days", "WITHIN DAYS"),
    view.Column("counted_from", "COUNTED FROM"),
    *view.columns("open", "due"),
)


def present_explanation(explanation: Explanation) -> view.Presentation:
    """Status, timeline, counts against thresholds, and what comes next."""
    contact = explanation.contact
    groups = [{"name": each.group, "state": each.state} for each in contact.groups]
    data = {
        **view.picked(contact, _IDENTITY),
        "groups": groups,
        "counts": [_count(each) for each in explanation.counts],
        "next": [_expected(each) for each in explanation.next],
    }
    rows = view.Rows(
        "timeline", _TIMELINE_COLUMNS, [_happening(each) for each in explanation.timeline]
    )
    return view.Presentation(data, rows, _blocks(explanation))


def _blocks(explanation: Explanation) -> list[view.Block]:
    contact = explanation.contact
    groups = [f"{each.group} ({each.state})" for each in contact.groups]
    counts: view.Block = view.Table(_COUNT_COLUMNS, [_count(each) for each in explanation.counts])
    if not explanation.counts:
        counts = view.Text("No thresholds are configured: responses do not deactivate anybody.")
    return [
        view.KeyValues(
            [
                ("Contact", f"{contact.id}, {contact.email}"),
                ("Status", contact.status),
                ("Groups", groups),
            ]
        ),
        view.Heading("What happened"),
        view.RowsTable(),
        view.Heading("What counts now"),
        counts,
        view.Heading("What comes next"),
        view.Text("\n".join(_next_lines(explanation))),
    ]


def _next_lines(explanation: Explanation) -> list[str]:
    lines = []
    for each in explanation.next:
        when = f"{each.at:%Y-%m-%d %H:%M} UTC: " if each.at else ""
        what = f"{each.category}: " if each.category else ""
        where = f" ({each.group})" if each.group else ""
        text = each.text if when or what else each.text[:1].upper() + each.text[1:]
        lines.append(f"{when}{what}{text}{where}")
    return lines or ["Nothing, unless more responses arrive."]


def _happening(each: Happening) -> view.Row:
    return view.picked(each, TIMELINE_FIELDS) | {"category": each.category or None}


def _count(each: Count) -> view.Row:
    return {
        **view.picked(each, ("category", "group", "through", "counted", "threshold")),
        "within_days": _whole(each.within_days),
        "counted_from": each.counted_from,
        "open": each.is_open,
        "due": each.is_due,
    }


def _expected(each: Expected) -> view.Row:
    names = ("action", "at", "category", "group", "text")
    return view.picked(each, names) | {"category": each.category or None}


def _whole(days: float | None) -> float | int | None:
    return int(days) if days is not None and days.is_integer() else days
