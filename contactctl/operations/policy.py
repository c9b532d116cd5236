"""The policy that a store keeps for everybody: shown, compared, replaced by a run of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contactctl.config.load import load_settings_file
from contactctl.config.policy import Document, PolicyChange, policy_changes, policy_document
from contactctl.config.settings import DEFAULT, LoadedSettings
from contactctl.domain.errors import ConfigError, NotFoundError, RefusedError
from contactctl.domain.policies import StoredPolicy
from contactctl.domain.run_kinds import PolicyRun
from contactctl.operations.session import Session
from contactctl.store.database.locks import taking_turn
from contactctl.store.runs import add_policy, insert_done_run, newest_policy


@dataclass(frozen=True, slots=True)
class PolicyProposal:
    """What a file would change in the policy in force: `before` is that one's number, or 0.

    `left_out` are the file's keys that belong to a machine and not to the policy.
    """

    before: int
    document: Document
    changes: Sequence[PolicyChange]
    left_out: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyApplied:
    """A policy that is in force now."""

    number: int
    run: int
    changes: Sequence[PolicyChange]


def read_policy(session: Session) -> StoredPolicy:
    """The policy in force; NotFoundError in a store that has none."""
    with session.store.reading() as connection:
        stored = newest_policy(connection)
    if stored is None:
        raise NotFoundError(
            "this store has no policy: each config decides for itself",
            hint="`contactctl policy apply FILE` takes it from a config",
        )
    return stored


def propose_policy(session: Session, file: Path) -> PolicyProposal:
    """What `apply_policy` would change. Raises ConfigError for a file that cannot be used, or that
    sets nothing of a policy: an export that failed leaves an empty one."""
    loaded = load_settings_file(file)
    if not policy_document(loaded):
        raise ConfigError(
            f"{file} sets nothing that a policy has",
            hint="`contactctl policy export` prints the policy in force, to be edited",
        )
    return propose(session, loaded)


def take_over(session: Session, loaded: LoadedSettings, *, reason: str) -> PolicyApplied | None:
    """Put a config's policy in force in a store that has none; None where it has one."""
    proposal = propose(session, loaded)
    return None if proposal.before else apply_policy(session, proposal, reason=reason)


def taken_over_by(loaded: LoadedSettings) -> Sequence[PolicyChange]:
    """What `take_over` would put in force."""
    return policy_changes({}, policy_document(loaded))


def propose(session: Session, loaded: LoadedSettings) -> PolicyProposal:
    """The same from settings that were read already."""
    document = policy_document(loaded)
    with session.store.reading() as connection:
        stored = newest_policy(connection)
    before: Mapping[str, Any] = stored.document if stored else {}
    left_out = [
        key
        for key, setting in loaded.nodes.items()
        if key not in document and setting.place != DEFAULT
    ]
    return PolicyProposal(
        stored.number if stored else 0, document, policy_changes(before, document), left_out
    )


def apply_policy(session: Session, proposal: PolicyProposal, *, reason: str = "") -> PolicyApplied:
    """Put the proposed policy in force; RefusedError when another one came between."""
    now, keys = session.clock(), _keys_for_run(proposal.changes)
    with taking_turn(session.store) as connection:
        stored = newest_policy(connection)
        if (stored.number if stored else 0) != proposal.before:
            raise RefusedError(
                "somebody else has changed the policy meanwhile",
                hint="look at it again: `contactctl policy diff FILE`",
            )
        number = proposal.before + 1
        request = session.request(PolicyRun(number, keys), reason=reason)
        run_id = insert_done_run(connection, request, now, planned=0, changed=0)
        add_policy(connection, StoredPolicy(number, proposal.document, run_id, now))
    return PolicyApplied(number, run_id, proposal.changes)


def _keys_for_run(changes: Sequence[PolicyChange]) -> tuple[str, ...]:
    """Without names of groups: after a dot no erasure would find an address in one."""
    keys = (change.key for change in changes)
    return tuple(dict.fromkeys("groups" if key.startswith("groups.") else key for key in keys))
