"""How checks, upgrades, grants, and a first store are shown."""

from collections.abc import Sequence
from itertools import dropwhile
from pathlib import Path

from contactctl.config.policy import PolicyChange
from contactctl.config.settings import LoadedSettings
from contactctl.config.show import ConfigRow, config_rows
from contactctl.domain.errors import ExitCode, Problem
from contactctl.domain.runs import RunState
from contactctl.domain.urls import hide_password
from contactctl.operations.copy_store import StoreCopy
from contactctl.operations.database import Backup, Initialised, StoreCheck, Upgrade
from contactctl.operations.policy import PolicyApplied
from contactctl.operations.status import StoreStatus
from contactctl.output.criteria import Pairs
from contactctl.output.policy import NO_POLICY, policy_rows
from contactctl.output.presentation import (
    Bars,
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
    Table,
    Text,
    Verbatim,
)
from contactctl.output.runs import run_data, runs_table
from contactctl.output.values import counted

_AUTOMATIC = """\
`responses ingest`, `responses fetch` and `sweep` apply the thresholds; `sweep`
follows the handling rules. `contactctl rules show` lists them. What you remove
from the config does not happen."""
_KEY_BELONGS_TO_IT = "keep the suppression key with it; without the key erased addresses can return"
_TABLE_COLUMNS = (Column("table"), Column("rows"), Column("checksum"))
_CHECK_COLUMNS = (Column("check"), Column("broken", "EXCEPTIONS"), Column("hint", wraps=True))


def present_check(check: StoreCheck) -> Presentation:
    """Each check with the number of rows that break it; exit code 1 when one is broken."""
    items = [
        {"check": f.check, "broken": f.broken, "hint": f.hint if f.broken else ""}
        for f in check.findings
    ]
    data = {
        "database": check.database,
        "schema_version": check.schema_version,
        "in_order": check.in_order,
        "policy": check.policy,
    }
    facts = [
        ("Database", check.database),
        ("Schema", check.schema_version),
        ("Policy", check.policy or NO_POLICY),
    ]
    blocks = [KeyValues(facts)]
    problems = [
        Problem("check", f"{f.check}: {counted(f.broken, 'exception')}", f.hint)
        for f in check.findings
        if f.broken
    ]
    return Presentation(
        data,
        Rows("checks", _CHECK_COLUMNS, items),
        [*blocks, RowsTable()],
        problems=problems,
        exit_code=ExitCode.FAILURE if problems else ExitCode.DONE,
    )


def present_upgrade(
    upgrade: Upgrade,
    taken_over: Sequence[PolicyChange] | None = None,
    policy: PolicyApplied | None = None,
) -> Presentation:
    """The schema's version before and after, and the settings that the store takes over."""
    changed = upgrade.before != upgrade.after
    words = f"schema {upgrade.before} -> {upgrade.after}" if changed else "nothing to upgrade"
    would = "would be: " if upgrade.dry_run else ""
    data = {
        "database": upgrade.database,
        "before": upgrade.before,
        "after": upgrade.after,
        "policy": policy.number if policy else None,
        "dry_run": upgrade.dry_run,
    }
    blocks: list[Block] = [Text(f"{upgrade.database}: {would}{words}.")]
    if taken_over is not None:
        how = "would become" if upgrade.dry_run else "are now"
        blocks.append(Text(f"These settings of the config {how} the policy, for everybody:"))
        blocks.append(RowsTable())
    rows = policy_rows(taken_over or ())
    return Presentation(data, rows, blocks)


def present_grants(statements: Sequence[str]) -> Presentation:
    """SQL to be run by the database's owner."""
    data = {"statements": list(statements)}
    return Presentation(data, None, [Verbatim("\n".join(statements))])


def present_copy(copied: StoreCopy, key_file: Path) -> Presentation:
    """Each table with its rows and its digest, which is the same on both sides."""
    data = {
        "source": copied.source,
        "target": copied.target,
        "rows": copied.rows,
        "continued": copied.continued,
    }
    items = [
        {"table": one.table, "rows": one.rows, "checksum": one.digest} for one in copied.tables
    ]
    pairs = [
        ("From", copied.source),
        ("To", copied.target),
        ("Compared", f"{counted(copied.rows, 'row')}, equal on both sides"),
    ]
    notes = ["the config still names the source: set `database` to use the copy"]
    if copied.rows_in("suppression"):
        notes.append(f"{_KEY_BELONGS_TO_IT}: {key_file}")
    rows = Rows("tables", _TABLE_COLUMNS, items)
    return Presentation(data, rows, [KeyValues(pairs), RowsTable()], notes=notes)


def present_backup(made: Backup, key_file: Path) -> Presentation:
    """The file, its size, and what is not in it."""
    data = {
        "database": made.database,
        "file": str(made.file),
        "bytes": made.size,
        "form": made.form,
    }
    pairs = [
        ("Database", made.database),
        ("Backup", f"{made.file} ({made.size / 1_000_000:,.1f} MB)"),
    ]
    notes = [f"{_KEY_BELONGS_TO_IT}: {key_file}"]
    return Presentation(data, None, [KeyValues(pairs)], notes=notes)


def present_initialised(
    made: Initialised, url: str, later: LoadedSettings, in_force: PolicyApplied | None = None
) -> Presentation:
    """What was created, what now happens automatically, and what to do next.

    `url` is the store's; `later` is what later commands read; `in_force` became its policy.
    """
    policy = later.settings.responses
    groups = policy.groups.values()
    thresholds = len(policy.thresholds) + sum(len(group.thresholds) for group in groups)
    rules = len(policy.handling) + sum(len(group.handling) for group in groups)
    data = {
        "database": made.database,
        "config": str(made.config),
        "config_files": [str(path) for path in later.files],
        "store_created": made.store_created,
        "config_written": made.config_written,
        "thresholds": thresholds,
        "handling_rules": rules,
        "policy": in_force.number if in_force else None,
    }
    store = "created" if made.store_created else "existed already, unchanged"
    config = "written" if made.config_written else "found, unchanged"
    further = [("Also read", str(path)) for path in later.files if path != made.config]
    automatic = f"{counted(thresholds, 'threshold')}, {counted(rules, 'handling rule')}"
    pairs = [
        ("Store", f"{made.database} ({store})"),
        ("Config", f"{made.config} ({config})"),
        *further,
        ("Automatic", automatic if thresholds or rules else "nothing"),
        *([("Policy", _in_force(in_force))] if in_force else []),
    ]
    blocks: list[Block] = [KeyValues(pairs)]
    if thresholds or rules:
        blocks.append(Text(_AUTOMATIC))
    blocks.append(Text("Next: contactctl contacts import FILE, then contactctl preview"))
    return Presentation(data, None, blocks, notes=_elsewhere(url, later))


def _in_force(policy: PolicyApplied) -> str:
    settings = counted(len(policy.changes), "setting")
    return f"{policy.number} is in force, with {settings} of the config; contactctl policy show"


def _elsewhere(url: str, later: LoadedSettings) -> list[str]:
    """A note if the config names another store than the one that --database has created."""
    if later.settings.database == url:
        return []
    other = hide_password(later.settings.database)
    return [f"without --database other commands use {other}"]


# How the state of the store is shown


_MONTHS_FOR_PEOPLE = 6  # with more, the totals would scroll off a screen of 24 lines


def present_status(status: StoreStatus) -> Presentation:
    """Totals, reasons, billing, deactivations by month and the latest runs."""
    runs = [run_data(run) for run in status.latest_runs]
    data: dict[str, object] = {
        "database": status.database,
        "active": status.active,
        "inactive": status.inactive,
        "total": status.total,
        "open_deactivations": [
            {"origin": origin, "category": category or None, "number": number}
            for origin, category, number in status.open_deactivations
        ],
        "billing": status.tier
        and {"currency": status.currency, "price": status.tier.price, "up_to": status.tier.up_to},
        "unfinished_runs": status.unfinished_runs,
        "waiting_plans": status.waiting_plans,
        "waiting_contacts": status.waiting_contacts,
        "held_responses": status.held_responses,
        "unsubscribes": status.unsubscribes,
        "unmatched_unsubscribes": status.unmatched_unsubscribes,
        "deactivations_per_month": [
            {"month": month, "number": number} for month, number in status.per_month
        ],
        "latest_runs": runs,
        "policy": status.policy,
    }
    blocks: list[Block] = [KeyValues(_totals(status))]
    if months := list(dropwhile(_is_empty, status.per_month[-_MONTHS_FOR_PEOPLE:])):
        blocks += [Heading("Deactivations per month"), Bars(months)]
    if runs:
        blocks += [Heading("Latest runs"), runs_table(status.latest_runs, with_reasons=False)]
    return Presentation(data, None, blocks)


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


# How the configuration is shown


_COLUMNS = (Column("key"), Column("value", wraps=True), Column("origin", wraps=True))


def present_config(loaded: LoadedSettings) -> Presentation:
    """One row per setting: dotted key, value with secrets hidden, and its origin.

    People see the files once, and then only their names.
    """
    rows = config_rows(loaded)
    data = {"files": [str(path) for path in loaded.files]}
    blocks: list[Block] = [Table(_COLUMNS, [_row(row, loaded.files) for row in rows])]
    if loaded.files:
        files = [("Files" if at == 0 else "", str(path)) for at, path in enumerate(loaded.files)]
        blocks.insert(0, KeyValues(files))
    return Presentation(data, Rows("settings", _COLUMNS, [_row(row) for row in rows]), blocks)


def _row(row: ConfigRow, files: Sequence[Path] = ()) -> Row:
    return {"key": row.key, "value": row.value, "origin": _shortened(row.origin, files)}


def _shortened(origin: str, files: Sequence[Path]) -> str:
    """`contactctl.yaml:12`, where only one of these files has that name."""
    names = [path.name for path in files]
    for path in files:
        if origin.startswith(f"{path}:") and names.count(path.name) == 1:
            return path.name + origin.removeprefix(str(path))
    return origin
