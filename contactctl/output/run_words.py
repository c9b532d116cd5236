"""What a run was about, in words: from what it keeps, which is numbers and names of groups."""

from collections.abc import Callable, Mapping
from typing import Any

from contactctl.domain.runs import Run, RunKind
from contactctl.output.values import to_people


def what_of(run: Run) -> str:
    """What the run was told to do; '' where its kind and its criteria say all."""
    in_words = _WORDS.get(run.kind)
    return "" if in_words is None else in_words(run.details)


def _reactivation(told: Mapping[str, Any]) -> str:
    if told["group"] is None:
        return f"contact {told['contact']}"
    where = f"contact {told['contact']} in {told['group']}"
    return f"{where}, its override cleared" if told["clears"] else where


def _group_change(told: Mapping[str, Any]) -> str:
    group = told["group"]
    match told["action"]:
        case "add":
            return f"contact {told['contact']} into the group {group}"
        case "remove":
            return f"contact {told['contact']} out of the group {group}"
        case "rename":
            return f"the group {group} renamed to {told['to']}"
        case "set":
            settings = told["settings"]
            return f"the group {group} set to {to_people(settings) if settings else 'the defaults'}"
        case "delete":
            return f"the group {group} deleted"
    return f"the group {group} created"


def _source(told: Mapping[str, Any]) -> str:
    if "mailbox" in told:
        return f"the mailbox {told['mailbox']}"
    return to_people(told["sources"]) if told.get("sources") else ""


def _held(told: Mapping[str, Any]) -> str:
    incident = f" of incident {told['incident']}" if told.get("incident") is not None else ""
    run = f" of run {told['run']}" if told.get("run") is not None else ""
    domain = f" from {told['domain']}" if told.get("domain") else ""
    which = f"{incident}{run}{domain}"
    return f"held responses{which}" if which else "all held responses"


def _contact(told: Mapping[str, Any]) -> str:
    return f"contact {told['contact']}" if "contact" in told else ""


def _looked_at(told: Mapping[str, Any]) -> str:
    return f"responses of run {told['after_run']}" if "after_run" in told else ""


_WORDS: Mapping[RunKind, Callable[[Mapping[str, Any]], str]] = {
    RunKind.UNDO: lambda told: f"takes back run {told['undoes']}",
    RunKind.REACTIVATE: _reactivation,
    RunKind.THRESHOLDS: _looked_at,
    RunKind.IMPORT: lambda told: f"the file {told['file']}",
    RunKind.ADD: _contact,
    RunKind.GROUPS: _group_change,
    RunKind.REMOVE_FROM_GROUP: lambda told: f"out of the group {told['group']}",
    RunKind.INGEST: _source,
    RunKind.RELEASE: _held,
    RunKind.DISCARD: _held,
    RunKind.ANONYMIZE: _contact,
    RunKind.DELETE: _contact,
    RunKind.SUPPRESSIONS: lambda told: str(told["action"]).replace("-", " "),
}
