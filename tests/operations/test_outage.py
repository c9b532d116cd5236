"""A provider answers "user unknown" for a day to people who are well: who goes, who stays."""

import pytest

from contactctl.domain.bursts import SharedBy
from contactctl.domain.responses import HeldFilter
from contactctl.operations.responses import discard, open_incidents, release
from contactctl.store.database.store import Store
from helpers.outage import PROVIDER, Outage, deactivated_of, replay


@pytest.mark.parametrize("released", [True, False])
def test_an_outage_costs_nobody(store: Store, released: bool) -> None:
    decide(store, replay(store, contacts=600, false=50, ingests=12), released=released)


@pytest.mark.torture
def test_an_outage_of_eight_thousand_among_a_hundred_thousand(store: Store) -> None:
    decide(store, replay(store, contacts=110_000, false=8_000, ingests=288), released=False)


def decide(store: Store, outage: Outage, *, released: bool) -> None:
    assert outage.most <= 100
    assert deactivated_of(store) == outage.gone
    (incident,) = outage.incidents
    assert (incident.shared_by, incident.name) == (SharedBy.DOMAIN, PROVIDER)
    assert incident.held == len(outage.wrong)
    decide_all = release if released else discard
    held = HeldFilter(incident=incident.id)
    assert decide_all(outage.session, held).responses == len(outage.wrong)
    assert open_incidents(outage.session) == []
    assert deactivated_of(store) == outage.gone | (outage.wrong if released else set())
