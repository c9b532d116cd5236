"""How checks, upgrades, grants, and a first store are shown."""

from collections.abc import Sequence
from pathlib import Path

from contactctl.config.policy import PolicyChange
from contactctl.config.settings import LoadedSettings
from contactctl.domain.errors import ExitCode, Problem
from contactctl.domain.text import counted
from contactctl.domain.urls import hide_password
from contactctl.operations.copies import StoreCopy
from contactctl.operations.database import Backup, Distribution, Initialised, StoreCheck, Upgrade
from contactctl.operations.policy import PolicyApplied
from contactctl.output import view
from contactctl.output.policy import NO_POLICY, policy_rows

_AUTOMATIC = """\
`responses ingest`, `responses fetch` and `sweep` apply the thresholds; `sweep`
follows the handling rules. `contactctl rules show` lists them. What you remove
from the config does not happen."""
_KEY_BELONGS_TO_IT = "keep the suppression key with it; without the key erased addresses can return"
_TABLE_COLUMNS = view.columns("table", "rows", "checksum")
_CUT_COLUMNS = (view.Column("table"), view.Column("rows"), view.Column("cut_by", "CUT BY"))
_CHECK_COLUMNS = (
    view.Column("check"),
    view.Column("broken", "EXCEPTIONS"),
    view.Column("hint", wraps=True),
)


def present_check(check: StoreCheck) -> view.Presentation:
    """Each check with the number of rows that break it; exit code 1 when one is broken."""
    items = [
        {"check": f.check, "broken": f.broken, "hint": f.hint if f.broken else ""}
        for f in check.findings
    ]
    data = {
        **view.picked(check, ("database", "schema_version", "in_order", "policy")),
        "undeclared_attributes": list(check.undeclared),
    }
    facts = [
        ("Database", check.database),
        ("Schema", check.schema_version),
        ("Policy", check.policy or NO_POLICY),
    ]
    blocks = [view.KeyValues(facts)]
    problems = [
        Problem("check", f"{f.check}: {counted(f.broken, 'exception')}", f.hint)
        for f in check.findings
        if f.broken
    ]
    return view.Presentation(
        data,
        view.Rows("checks", _CHECK_COLUMNS, items),
        [*blocks, view.RowsTable()],
        problems=problems,
        exit_code=ExitCode.FAILURE if problems else ExitCode.DONE,
        notes=[_undeclared(check.undeclared)] if check.undeclared else [],
    )


def _undeclared(names: Sequence[str]) -> str:
    return (
        f"attributes that contacts have and the config does not declare: {', '.join(names)};"
        " `contactctl db attributes` renames or drops them"
    )


def present_upgrade(
    upgrade: Upgrade,
    taken_over: Sequence[PolicyChange] | None = None,
    policy: PolicyApplied | None = None,
) -> view.Presentation:
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
    blocks: list[view.Block] = [view.Text(f"{upgrade.database}: {would}{words}.")]
    if taken_over is not None:
        how = "would become" if upgrade.dry_run else "are now"
        blocks.append(view.Text(f"These settings of the config {how} the policy, for everybody:"))
        blocks.append(view.RowsTable())
    rows = policy_rows(taken_over or ())
    return view.Presentation(data, rows, blocks)


def present_copy(copied: StoreCopy, key_file: Path) -> view.Presentation:
    """Each table with its rows and its digest, which is the same on both sides."""
    data = view.picked(copied, ("source", "target", "rows", "continued"))
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
    rows = view.Rows("tables", _TABLE_COLUMNS, items)
    return view.Presentation(data, rows, [view.KeyValues(pairs), view.RowsTable()], notes=notes)


def present_backup(made: Backup, key_file: Path) -> view.Presentation:
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
    return view.Presentation(data, None, [view.KeyValues(pairs)], notes=notes)


def present_distribution(distribution: Distribution) -> view.Presentation:
    """Each table with its rows, and what it is, or would be, cut by."""
    cluster = distribution.cluster
    data = {
        "database": distribution.database,
        "cluster": cluster.version,
        "workers": cluster.workers,
        "shards": distribution.shards,
        "done": distribution.done,
    }
    items = [
        {"table": name, "rows": distribution.rows[name], "cut_by": placement}
        for name, placement in distribution.placements.items()
    ]
    pairs = [
        ("Database", distribution.database),
        ("Cluster", f"{cluster.version}, {counted(cluster.workers, 'worker')}"),
        ("State", _state_of(distribution)),
    ]
    notes = []
    if cluster.worker_processes <= cluster.databases:
        notes.append(
            f"max_worker_processes is {cluster.worker_processes}, and the server has"
            f" {counted(cluster.databases, 'database')}: set it higher, or transactions that are"
            " cut off stay open"
        )
    if distribution.done:
        notes.append("run `contactctl db grants` again: rights and policies are new")
    rows = view.Rows("tables", _CUT_COLUMNS, items)
    return view.Presentation(data, rows, [view.KeyValues(pairs), view.RowsTable()], notes=notes)


def _state_of(distribution: Distribution) -> str:
    if distribution.freed:
        return "spread already; only what the coordinator still keeps is freed"
    parts = counted(distribution.shards, "part")
    return f"spread, each table in {parts}" if distribution.done else f"to be cut into {parts}"


def present_initialised(
    made: Initialised, url: str, later: LoadedSettings, in_force: PolicyApplied | None = None
) -> view.Presentation:
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
    blocks: list[view.Block] = [view.KeyValues(pairs)]
    if thresholds or rules:
        blocks.append(view.Text(_AUTOMATIC))
    blocks.append(view.Text("Next: contactctl contacts import FILE, then contactctl preview"))
    return view.Presentation(
        data, None, blocks, notes=_elsewhere(url, later), warnings=_lost(made.lost_key)
    )


def _in_force(policy: PolicyApplied) -> str:
    settings = counted(len(policy.changes), "setting")
    return f"{policy.number} is in force, with {settings} of the config; contactctl policy show"


def _elsewhere(url: str, later: LoadedSettings) -> list[str]:
    """A note if the config names another store than the one that --database has created."""
    if later.settings.database == url:
        return []
    other = hide_password(later.settings.database)
    return [f"without --database other commands use {other}"]


def _lost(key_file: Path | None) -> list[str]:
    if key_file is None:
        return []
    return [
        f"{key_file} is missing, whose key tells which addresses were erased from this store: put"
        " it there from a backup or another user of the store; until then nothing can be imported"
    ]
