"""Attributes that contacts have, held against those that the config declares."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import NotFoundError, RefusedError, UsageError
from contactctl.domain.runs import Confirmation, Run, RunKind, Stakes
from contactctl.domain.text import counted, show_safely
from contactctl.domain.upkeep_kinds import AttributesRun
from contactctl.operations.plans import stakes_of_change, write_confirmed_plan
from contactctl.operations.session import Session
from contactctl.store.attributes import count_attributes, count_both, plan_attributes
from contactctl.store.impact import count_active


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: how many contacts have it, and its declared type; None: not declared."""

    name: str
    contacts: int
    type: str | None


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """An attribute that is to be renamed (`to`) or dropped, and of how many contacts."""

    database: str
    name: str
    to: str | None
    count: int
    stakes: Stakes


def list_attributes(session: Session) -> Sequence[Attribute]:
    """Every attribute that is declared or that a contact has, by name."""
    declared = session.settings.attributes
    with session.store.reading() as connection:
        stored = count_attributes(connection)
    return [
        Attribute(name, stored.get(name, 0), declared[name].type if name in declared else None)
        for name in sorted({*declared, *stored})
    ]


def preview_change(session: Session, name: str, to: str | None) -> AttributeChange:
    """What renaming or dropping would do. UsageError for a name that the config does not declare,
    NotFoundError for one that no contact has, RefusedError where contacts have both."""
    _require_sensible(session, name, to)
    with session.store.reading() as connection:
        stored = count_attributes(connection)
        if name not in stored:
            raise NotFoundError(
                f"no contact has the attribute '{show_safely(name)}'",
                hint=did_you_mean(name, list(stored)) or "`contactctl db attributes` lists them",
            )
        if to is not None and (both := count_both(connection, name, to)):
            raise RefusedError(
                f"{counted(both, 'contact')} have both '{show_safely(name)}' and '{to}'",
                hint=f"which one is right? `contactctl db attributes --drop {show_safely(name)}`"
                " drops the other",
                code="has-both",
            )
        count = stored[name]
        stakes = stakes_of_change(session, RunKind.ATTRIBUTES, count, count_active(connection))
    return AttributeChange(session.store.identity, name, to, count, stakes)


def plan_change(
    session: Session,
    name: str,
    to: str | None,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the contacts that have the attribute; None where none has."""
    _require_sensible(session, name, to)
    return write_confirmed_plan(
        session,
        session.request(AttributesRun(name, to), reason=reason),
        lambda connection, run_id: plan_attributes(connection, run_id, name),
        said,
    )


def _require_sensible(session: Session, name: str, to: str | None) -> None:
    declared = session.settings.attributes
    if name in declared:
        raise UsageError(
            f"the config declares '{name}'",
            hint="take it out there first; imports would bring it back",
        )
    if to is not None and to not in declared:
        raise UsageError(
            f"the config does not declare '{show_safely(to)}'",
            hint=did_you_mean(to, list(declared)) or "declare it below `attributes:` first",
        )
