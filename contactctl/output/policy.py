"""How the store's policy is shown, and how a config stands to it."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contactctl.config.policy import Bound, PolicyChange
from contactctl.domain.errors import ExitCode
from contactctl.domain.policies import StoredPolicy
from contactctl.domain.text import counted
from contactctl.output import view

_COLUMNS = (
    view.Column("setting"),
    view.Column("before", "IN FORCE", wraps=True),
    view.Column("after", "NEW", wraps=True),
)
POLICY_CHANGE_FIELDS = tuple(column.key for column in _COLUMNS)
_MOST_NAMED = 5
if TYPE_CHECKING:
    from contactctl.operations.policy import PolicyApplied, PolicyProposal

NO_POLICY = "none, each config decides; contactctl policy apply FILE makes one"


def policy_notes(bound: Bound | None, told: Collection[str] = ()) -> list[str]:
    """What a command says of its config, where the store's policy decides otherwise; and what the
    policy's own settings warn of, unless that was `told`."""
    if bound is None:
        return []
    notes = [warning for warning in bound.loaded.warnings if warning not in told]
    if bound.stricter:
        notes.append(f"stricter here than the store's policy: {_named(bound.stricter)}")
    if bound.unused:
        notes.append(
            f"not used, since the store's policy decides: {_named(bound.unused)};"
            " `contactctl policy show` shows it"
        )
    return notes


def present_policy(policy: StoredPolicy, text: str) -> view.Presentation:
    """The policy in force, as YAML for people."""
    data = {
        "policy": policy.number,
        "run": policy.run_id,
        "since": policy.created,
        "settings": policy.document,
    }
    pairs = [("Policy", policy.number), ("In force since", policy.created), ("Run", policy.run_id)]
    return view.Presentation(data, None, [view.KeyValues(pairs), view.Verbatim(text)])


def present_proposal(proposal: "PolicyProposal", *, differs: bool = False) -> view.Presentation:
    """What a file would change; with `differs` that is a failure, as for `diff`."""
    data = {"policy": proposal.before, "changes": len(proposal.changes)}
    blocks: list[view.Block] = [view.Text("The policy says the same already.")]
    if proposal.changes:
        blocks = [view.RowsTable()]
    exit_code = ExitCode.FAILURE if differs and proposal.changes else ExitCode.DONE
    return view.Presentation(
        data, policy_rows(proposal.changes), blocks, notes=_left_out(proposal), exit_code=exit_code
    )


def present_applied(applied: "PolicyApplied") -> view.Presentation:
    """That a policy is in force."""
    data = {"policy": applied.number, "run": applied.run, "changes": len(applied.changes)}
    said = f"Policy {applied.number} is in force: {counted(len(applied.changes), 'change')}."
    return view.Presentation(data, policy_rows(applied.changes), [view.Text(said)])


def policy_rows(changes: Sequence[PolicyChange]) -> view.Rows:
    """Setting by setting, what it was and what it becomes."""
    items = [
        {"setting": each.key, "before": _value(each.before), "after": _value(each.after)}
        for each in changes
    ]
    return view.Rows("changes", _COLUMNS, items)


def _left_out(proposal: "PolicyProposal") -> list[str]:
    if not proposal.left_out:
        return []
    return [f"these belong to each machine, not to the policy: {', '.join(proposal.left_out)}"]


def _value(value: Any) -> str:
    """As YAML writes it on one line; the built-in default where nothing is said."""
    if value is None:
        return "(default)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _named(places: Mapping[str, str]) -> str:
    named = [f"{key} ({place})" for key, place in list(places.items())[:_MOST_NAMED]]
    more = len(places) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
