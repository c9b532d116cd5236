"""How criteria are shown, and the contacts that they select: previews, plans, tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from contactctl.domain.criteria.fields import ATTRIBUTE_PREFIX, RESPONSES_PREFIX
from contactctl.domain.criteria.tree import Prebuilt, as_data, as_flags
from contactctl.domain.plain_data import to_plain
from contactctl.domain.policies import BillingTier
from contactctl.domain.run_details import KeptCriteria
from contactctl.output import view
from contactctl.output.values import MISSING, to_people

if TYPE_CHECKING:
    from contactctl.domain.runs import Stakes
    from contactctl.operations.criteria import Impact, Preview
    from contactctl.operations.plans import Affected

_EXACT = ("id", "email", "status", "last_opportunity")


def contact_column(name: str, *, for_people: bool = True) -> view.Column:
    """The column of a field; free text gives way when there is little room."""
    bare = name.removeprefix(ATTRIBUTE_PREFIX).removeprefix(RESPONSES_PREFIX)
    title = bare.replace("_", " ").upper()
    return view.Column(name, title, for_people=for_people, yields=name not in _EXACT)


# How criteria and a set of contacts are shown, in previews and in plans


_WHO = ("id", "email")
_FOR_PEOPLE = ("first_name", "last_name", "last_opportunity")
_FOR_PROGRAMS = ("company", "last_emailed", "last_opened", "created")

Pairs = list[tuple[str, object]]


def preview_rows(
    rows: Sequence[view.Row],
    asked_about: Sequence[str] = (),
    fields: Sequence[str] = (),
    *,
    beginning_of: str = "",
) -> view.Rows:
    """The first contacts of a set, under the JSON key `preview`.

    People see who it is, what was `asked_about`, and other fields with values; --fields can name
    any of `fields`, or of those that the contacts have.
    """
    shown = dict.fromkeys((*_WHO, *asked_about, *_FOR_PEOPLE))
    empty = {name for name in shown if all(to_people(row.get(name)) == MISSING for row in rows)}
    always = dict.fromkeys((*shown, *_FOR_PROGRAMS))
    columns = [contact_column(name, for_people=name in shown.keys() - empty) for name in always]
    known = fields or [name for row in rows[:1] for name in row]
    others = [contact_column(name) for name in known if name not in always]
    return view.Rows("preview", columns, rows, others, beginning_of)


def asked_about(kept: KeptCriteria | None) -> list[str]:
    """The fields that criteria name, from what a run keeps of them."""
    if kept is None:
        return []
    return list(dict.fromkeys(text.partition(" ")[0] for text, _ in kept.conditions))


def rows_blocks(shown: int, total: int, *, noun: str = "contacts") -> list[view.Block]:
    """The table of the first rows, and how many more there are."""
    more = [view.Text(f"... and {total - shown:,} more")] if total > shown else []
    return [view.RowsTable(empty=f"(no {noun})"), *more]


def criteria_pairs(lines: Sequence[str], *, prebuilt: bool) -> Pairs:
    """The lines of the criteria, the first one labelled."""
    label = "Criteria (prebuilt)" if prebuilt else "Criteria"
    return [(label if number == 0 else "", line) for number, line in enumerate(lines)]


def left_out_pairs(
    left_out: Mapping[str, int], include_hint: Callable[[str], str] = lambda _: ""
) -> Pairs:
    """Who was left out because a value is missing, and how to include them, if that is known."""
    pairs: Pairs = []
    for name, number in left_out.items():
        if number:
            pairs.append(("Left out", f"{number:,} without {name}"))
            if include := include_hint(name):
                pairs.append(("", f"to include them: {include}"))
    return pairs


def impact_blocks(impact: "Impact") -> list[view.Block]:
    """Totals, billing and groups, before and after."""
    pairs: Pairs = [("Active", f"{impact.active_before:,} -> {impact.active_after:,}")]
    if impact.tier_before is not None and impact.tier_after is not None:
        before, after = impact.tier_before, impact.tier_after
        pairs.append(
            ("Billing", f"{_price(before, impact.currency)} -> {_price(after, impact.currency)}")
        )
    campaigns = "deactivated contacts get none; they come back one at a time"
    if impact.is_for_good:
        campaigns = "erased contacts get none, and do not come back"
    if impact.brings_back:
        campaigns = "contacts that come back get them again"
    pairs.append(("Campaigns", campaigns))
    pairs += [(f"Group {name}", f"-{lost:,}") for name, lost in impact.members_lost.items()]
    pairs += [(f"Group {name}", f"+{n:,}") for name, n in impact.members_regained.items()]
    return [view.Heading("Impact"), view.KeyValues(pairs)]


def price_change(impact: "Impact") -> str:
    """`USD 99 → USD 79`, or that the price stays; '' where the config has no prices."""
    if impact.tier_before is None or impact.tier_after is None:
        return ""
    before, after = (
        f"{impact.currency} {t.price}" for t in (impact.tier_before, impact.tier_after)
    )
    return f"{before}, stays" if before == after else f"{before} → {after}"


def impact_data(impact: "Impact") -> dict[str, object]:
    """The impact for programs."""
    members: dict[str, object] = {"members_lost": dict(impact.members_lost)}
    if impact.brings_back:
        members = {"members_regained": dict(impact.members_regained)}
    return {
        "active_before": impact.active_before,
        "active_after": impact.active_after,
        "billing": {
            "currency": impact.currency,
            "price_before": impact.tier_before and impact.tier_before.price,
            "price_after": impact.tier_after and impact.tier_after.price,
        },
        **members,
    }


def limit_blocks(limits_exceeded: Sequence[str]) -> list[view.Block]:
    """The limits that the plan exceeds."""
    labels = ["Over the limits", *[""] * (len(limits_exceeded) - 1)]
    return (
        [view.KeyValues(list(zip(labels, limits_exceeded, strict=True)))] if limits_exceeded else []
    )


def present_before(
    data: Mapping[str, object],
    pairs: Pairs,
    stakes: "Stakes",
    *,
    rows: view.Rows | None = None,
    impact: "Impact | None" = None,
    notes: Sequence[str] = (),
) -> view.Presentation:
    """A change before it is made: facts, the first contacts, what it would mean, the limits."""
    blocks: list[view.Block] = [view.KeyValues(pairs)]
    if rows is not None:
        blocks += rows_blocks(len(list(rows.items)), stakes.count)
    if impact is not None:
        blocks += impact_blocks(impact)
    limits = stakes.limits_exceeded
    return view.Presentation(
        {
            **data,
            "limits_exceeded": list(limits),
            **({"impact": impact_data(impact)} if impact is not None else {}),
        },
        rows,
        [*blocks, *limit_blocks(limits)],
        notes=[*notes, "nothing was changed"],
    )


def share(part: int, whole: int) -> str:
    """`1,284 of 9,000 (14.3 %)`."""
    return f"{part:,} of {whole:,}" + (f" ({percent(part, whole)})" if whole else "")


def percent(part: int, whole: int) -> str:
    """`14.3 %`."""
    return f"{part * 100 / whole:.1f} %" if whole else ""


def _price(tier: BillingTier, currency: str) -> str:
    size = f"up to {tier.up_to:,}" if tier.up_to is not None else "open-ended tier"
    return f"{currency} {tier.price} ({size})"


# How a preview is shown


_OF_INACTIVE = {
    "status",
    "deactivated",
    "deactivation_origin",
    "deactivation_category",
    "deactivation_run",
}


def present_preview(preview: "Preview") -> view.Presentation:
    """Count, criteria with their dates, who was left out, and the first contacts."""
    blocks = [view.KeyValues(_facts(preview)), *rows_blocks(len(preview.rows), preview.count)]
    if preview.rows:  # the first lines may have left the screen
        blocks.append(view.Text(f"{_count(preview)}."))
    return view.Presentation(_data(preview), _rows(preview), blocks, notes=_notes(preview))


def present_dry_run(preview: "Preview") -> view.Presentation:
    """A preview with what deactivating would mean, and the limits it would meet."""
    return present_before(
        _data(preview),
        _facts(preview),
        preview.stakes,
        rows=_rows(preview),
        impact=preview.impact,
        notes=_notes(preview),
    )


def _rows(preview: "Preview") -> view.Rows:
    shown = len(preview.rows)
    others = (
        f"the first {shown} of {preview.count:,}; `contactctl contacts export --deliverable` with "
        "the same criteria writes them all"
    )
    return preview_rows(
        preview.rows,
        asked_about(preview.selection.kept()),
        preview.fields,
        beginning_of=others if preview.count > shown else "",
    )


def _notes(preview: "Preview") -> list[str]:
    if _OF_INACTIVE.isdisjoint(asked_about(preview.selection.kept())):
        return []
    return [
        "only active contacts are counted; "
        "`contactctl contacts list` with the same criteria shows the others, too"
    ]


def _data(preview: "Preview") -> dict[str, object]:
    return {
        "database": preview.database,
        "count": preview.count,
        "active_total": preview.active_total,
        "left_out": dict(preview.left_out),
        "criteria": preview.selection.kept().criteria,
        "emails": to_plain(preview.selection.kept().emails),
        "conditions": [
            {"text": text, "resolved": resolved}
            for text, resolved in preview.selection.resolved.describe()
        ],
        "prebuilt": preview.selection.prebuilt,
        "as_of": preview.selection.resolved.as_of,
        "time_zone": preview.selection.resolved.zone.key,
    }


def _facts(preview: "Preview") -> Pairs:
    resolved = preview.selection.resolved
    return [
        ("Database", preview.database),
        *criteria_pairs(preview.selection.lines, prebuilt=preview.selection.prebuilt),
        ("As of", f"{resolved.as_of.astimezone(resolved.zone):%Y-%m-%d %H:%M %Z}"),
        ("Contacts", _count(preview)),
        *left_out_pairs(preview.left_out, preview.include_hint),
    ]


def _count(preview: "Preview") -> str:
    return f"{share(preview.count, preview.active_total)} active contacts match"


# The criteria that come with the program


_PREBUILT_COLUMNS = (
    view.Column("name"),
    view.Column("title", for_people=False),
    view.Column("conditions", wraps=True),
    view.Column("criteria", for_people=False),
)
PREBUILT_FIELDS = tuple(column.key for column in _PREBUILT_COLUMNS)


def present_prebuilt(every: Sequence[Prebuilt]) -> view.Presentation:
    """Each with its conditions: as flags to be copied, and as a criteria file has them."""
    items = [
        {
            "name": each.name,
            "title": each.title,
            "conditions": as_flags(each.criteria()),
            "criteria": as_data(each.criteria()),
        }
        for each in every
    ]
    return view.listed("prebuilt", _PREBUILT_COLUMNS, items)


# How contacts are shown that a change by criteria would affect


def present_affected(found: "Affected") -> view.Presentation:
    """What would be done to how many, criteria with their dates, the first contacts, the impact,
    and the limits in the way."""
    kept, inactive = found.selection.kept(), found.count - found.active
    data = {
        "run": None,
        "database": found.database,
        "does": found.does,
        "count": found.count,
        "active": found.active,
        "inactive": inactive,
        "criteria": kept.criteria,
        "emails": to_plain(kept.emails),
    }
    pairs: Pairs = [
        ("Database", found.database),
        ("Would", found.does),
        *criteria_pairs(found.selection.lines, prebuilt=False),
        ("Contacts", f"{found.count:,} match: {found.active:,} active, {inactive:,} inactive"),
    ]
    rows = preview_rows(found.rows, asked_about(kept), found.fields)
    return present_before(data, pairs, found.stakes, rows=rows, impact=found.impact)
