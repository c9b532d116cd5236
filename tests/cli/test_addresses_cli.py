"""One contact edited, readdressed, merged, tagged or deactivated; nothing that holds is escaped."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.follower import Follower, require_followed
from helpers.processes import KILLED, Death, barrier, exit_code_of, start_cli
from helpers.store_cli import StoreCli
from helpers.thorough import moments
from helpers.upkeep import ANN, BO, ok, open_reasons, readdress, show, upkeep_cli

pytestmark = pytest.mark.both_databases


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return upkeep_cli(store, store_url, tmp_path)


def ingest(cli: StoreCli, *events: dict[str, Any]) -> Any:
    path = cli.folder / "events.jsonl"
    known = {"time": "2026-06-15T10:00:00Z", "id": ""}
    rows = [known | {"id": str(abs(hash(str(each))))} | each for each in events]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ok(cli, "responses", "ingest", path)


def bounce(email: str, category: str = "invalid-address", **values: Any) -> dict[str, Any]:
    return {"email": email, "category": category, **values}


def merge(cli: StoreCli, into: object, gone: str) -> Any:
    return ok(cli, "contacts", "merge", into, gone, "--confirm", gone)


# Editing


# Another address


def test_a_new_address_keeps_the_contact_and_ends_what_was_about_the_old_one(
    cli: StoreCli,
) -> None:
    ok(cli, "tags", "add", "vip", ANN)
    ingest(cli, bounce(ANN))
    assert show(cli, ANN)["status"] == "inactive"
    done = readdress(cli, ANN, "Ann@New.no")
    assert (done["id"], done["email"], done["status"]) == (1, "Ann@New.no", "active")
    for name in (1, "ann@new.no", ANN):
        shown = show(cli, name)
        assert (shown["id"], shown["tags"], shown["groups"][0]["name"]) == (1, ["vip"], "news")
    assert [each["email"] for each in shown["former_addresses"]] == [ANN]
    kinds = [each["kind"] for each in ok(cli, "explain", ANN)["timeline"]]
    assert {"deactivated", "ended", "readdressed"} <= set(kinds)


def test_late_bounces_of_the_old_address_are_kept_and_do_not_count(cli: StoreCli) -> None:
    ingest(cli, bounce(ANN, "transient"))
    readdress(cli, ANN, "ann@new.no")
    ingest(cli, bounce(ANN, "transient", id="late"), bounce(ANN, id="gone"))
    ingest(cli, bounce("ann@new.no", "transient", id="one"))
    assert show(cli, 1)["status"] == "active"
    rows = ok(cli, "responses", "list", "--email", "ann@new.no")["responses"]
    assert sorted((each["category"], each["not_counted"]) for each in rows) == [
        ("invalid-address", "former-address"),
        ("transient", ""),
        ("transient", "former-address"),
        ("transient", "former-address"),
    ]
    assert ok(cli, "responses", "list", "--unmatched")["responses"] == []
    ingest(cli, bounce("ann@new.no", "transient", id="two"))
    assert show(cli, 1)["status"] == "inactive"


@pytest.mark.parametrize("category", ["spam-complaint", "unsubscribed"])
def test_what_the_person_did_holds_whatever_the_address(cli: StoreCli, category: str) -> None:
    ingest(cli, bounce(ANN, category))
    reasons = open_reasons(cli, 1)
    assert readdress(cli, ANN, "ann@new.no")["status"] == "inactive"
    assert open_reasons(cli, 1) == reasons
    # and later, to the old address, for a contact that is active
    readdress(cli, BO, "bo@new.no")
    ingest(cli, bounce(BO, category))
    assert show(cli, 2)["status"] == "inactive"


def test_what_waited_for_the_new_address_is_the_contacts(cli: StoreCli) -> None:
    ingest(cli, bounce("ann@new.no", "unsubscribed"), bounce("bo@new.no"))
    shown = cli("contacts", "readdress", BO, "bo@new.no", "--json")
    assert (shown.exit_code, shown.json["data"]["waiting_responses"]) == (4, 1)
    assert readdress(cli, ANN, "ann@new.no")["status"] == "inactive"
    assert open_reasons(cli, 1) == [("unsubscribe", "")]
    readdress(cli, BO, "bo@new.no")
    ok(cli, "sweep", "thresholds", "--yes")
    assert open_reasons(cli, 2) == [("threshold", "invalid-address")]


def test_an_address_that_may_not_be_taken_is_refused(cli: StoreCli) -> None:
    ok(cli, "contacts", "delete", "ci@x.no", "--confirm", "ci@x.no")
    ok(cli, "suppressions", "add", "@blocked.no", "--confirm", "@blocked.no")
    readdress(cli, BO, "bo@new.no")
    before = dump(cli.store)

    def refused(new: str, exit_code: int) -> str:
        told = ["contacts", "readdress", ANN, new, "--confirm", new]
        (error,) = cli.errors(*told, exit_code=exit_code)
        return error["code"]

    assert refused("ci@x.no", 5)
    assert refused("any@BLOCKED.no", 5)
    assert refused("bo@new.no", 4) == "address-taken"
    assert refused("BO@x.no", 4) == "former-address"
    assert refused("no address", 2)
    assert cli.errors("contacts", "readdress", "nobody@x.no", "a@x.no", exit_code=1)
    assert cli.errors("contacts", "readdress", ANN, "a@x.no", exit_code=4)
    assert cli.errors("contacts", "readdress", ANN, "a@x.no", "--confirm", ANN, exit_code=4)
    assert dump(cli.store) == before


def test_a_former_address_creates_nobody(cli: StoreCli) -> None:
    readdress(cli, ANN, "ann@new.no")
    people = cli.folder / "again.csv"
    people.write_text("email,first_name\nANN@x.no,Ann\ndi@x.no,Di\n")
    done = cli("contacts", "import", people, "--json")
    assert (done.exit_code, done.json["data"]["created"]) == (5, 1)
    (error,) = cli.errors("contacts", "add", ANN, exit_code=4)
    assert error["code"] == "former-address"
    # back again, and then it is nobody's former address
    assert readdress(cli, 1, ANN)["email"] == ANN
    assert cli("contacts", "import", people).exit_code == 0


def test_the_same_address_in_another_spelling_changes_its_spelling_alone(cli: StoreCli) -> None:
    ingest(cli, bounce(ANN))
    done = readdress(cli, ANN, "Ann@X.no")
    assert (done["email"], done["status"]) == ("Ann@X.no", "inactive")
    assert show(cli, 1)["former_addresses"] == []
    assert readdress(cli, ANN, "Ann@X.no")["run"] is None
    done = readdress(cli, ANN, "ann+news@bücher.example")
    assert done["email"] == "ann+news@bücher.example"
    assert show(cli, "ANN+NEWS@xn--bcher-kva.example")["id"] == 1


def test_an_erasure_finds_every_address_that_the_contact_had(cli: StoreCli) -> None:
    readdress(cli, ANN, "ann@two.no")
    readdress(cli, 1, "ann@three.no")
    merge(cli, BO, "ann@three.no")
    ok(cli, "contacts", "edit", "ci@x.no", "--set", "company=friend of ann@two.no")
    ok(cli, "contacts", "delete", BO, "--confirm", BO)
    for email in (ANN, "ann@two.no", "ann@three.no", BO):
        assert ok(cli, "suppressions", "check", email)["suppressed"]
    left = str(dump(cli.store)).lower()
    assert not any(name in left for name in (ANN, "ann@two.no", "ann@three.no", BO))


# Merging


def test_a_merge_loses_neither_data_nor_reasons(cli: StoreCli) -> None:
    ok(cli, "contacts", "edit", BO, "--set", "company=Bo AS", "--set", "attributes.plan=pro")
    ok(cli, "contacts", "edit", ANN, "--set", "attributes.orders=3")
    ok(cli, "tags", "add", "vip", BO)
    ok(cli, "groups", "create", "offers")
    ok(cli, "groups", "add", "offers", BO)
    ingest(cli, bounce(BO, "spam-complaint"), bounce(BO))
    done = merge(cli, ANN, BO)
    assert (done["id"], done["status"]) == (1, "inactive")
    shown = show(cli, BO)
    assert (shown["id"], shown["first_name"], shown["company"]) == (1, "Ann", "Bo AS")
    assert shown["attributes"] == {"orders": 3, "plan": "pro"}
    assert (shown["tags"], [each["name"] for each in shown["groups"]]) == (
        ["vip"],
        ["news", "offers"],
    )
    # the complaint is the person's; that Bo's address is invalid says nothing of Ann's
    assert open_reasons(cli, 1) == [("threshold", "spam-complaint")]
    assert cli.errors("contacts", "show", 2, exit_code=1)
    ingest(cli, bounce(BO, id="late"))
    assert ok(cli, "responses", "list", "--unmatched")["responses"] == []
    assert "merged" in [each["kind"] for each in ok(cli, "explain", 1)["timeline"]]
    assert ok(cli, "db", "check")["in_order"]


def test_mails_and_clicks_of_both_are_counted_after_a_merge(cli: StoreCli) -> None:
    mails = ((ANN, "delivered", 1, 10), (BO, "delivered", 2, 20), (BO, "delivered", 3, 40))
    ingest(
        cli,
        *(
            {
                "email": email,
                "event": event,
                "sg_event_id": f"e{n}",
                "timestamp": 1_700_000_000 + at,
            }
            for email, event, n, at in (*mails, (ANN, "open", 4, 30))
        ),
    )
    merge(cli, BO, ANN)
    shown = show(cli, BO)
    assert (shown["mails_received"], shown["mails_since_engaged"]) == (3, 1)
    assert shown["last_engaged"] == shown["last_opened"] == "2023-11-14T22:13:50Z"
    assert ok(cli, "db", "check")["in_order"]


@pytest.mark.parametrize("swapped", [False, True])
def test_who_unsubscribed_stays_so_whichever_contact_stays(cli: StoreCli, swapped: bool) -> None:
    ok(cli, "deactivate", BO, "--confirm", BO)
    ok(cli, "reactivate", BO, "--group", "news", "--confirm", BO)
    ingest(cli, bounce(ANN, "unsubscribed"))
    done = merge(cli, BO, ANN) if swapped else merge(cli, ANN, BO)
    assert done["status"] == "inactive"
    assert ("unsubscribe", "") in open_reasons(cli, done["id"])
    assert show(cli, done["id"])["groups"][0]["state"] == "follows"


def test_one_run_had_deactivated_both_and_one_was_back(cli: StoreCli) -> None:
    run = ok(cli, "deactivate", "--where", "id <= 2", "--confirm", 2)["run"]
    ok(cli, "reactivate", ANN, "--confirm", ANN)
    assert merge(cli, ANN, BO)["status"] == "inactive"
    assert open_reasons(cli, 1) == [("bulk", "")]
    assert len(ok(cli, "runs", "contacts", run)["contacts"]) == 1
    assert ok(cli, "db", "check")["in_order"]


def test_what_cannot_be_merged(cli: StoreCli) -> None:
    ok(cli, "contacts", "anonymize", "ci@x.no", "--confirm", "ci@x.no")
    before = dump(cli.store)
    (error,) = cli.errors("contacts", "merge", ANN, 1, "--confirm", ANN, exit_code=4)
    assert error["code"] == "same-contact"
    assert cli.errors("contacts", "merge", ANN, 3, exit_code=4)
    assert cli.errors("contacts", "merge", 3, ANN, exit_code=4)
    assert cli.errors("contacts", "merge", ANN, "nobody@x.no", exit_code=1)
    assert cli.errors("contacts", "merge", ANN, BO, exit_code=4)
    assert cli.errors("contacts", "merge", ANN, BO, "--confirm", ANN, exit_code=4)
    assert dump(cli.store) == before
    asked = cli("contacts", "merge", ANN, BO, tty=True, stdin="bo@x.no\n")
    assert (asked.exit_code, "It cannot be undone" in asked.stderr) == (0, True)


def test_who_follows_learns_of_addresses_and_merges(cli: StoreCli) -> None:
    ingest(cli, bounce(ANN))
    readdress(cli, ANN, "ann@new.no")
    merge(cli, BO, "ann@new.no")
    readdress(cli, BO, "bo@new.no")
    follower = Follower()
    lines = cli("contacts", "changes", "--cursor", "c", "--format", "jsonl").lines
    told = follower.take(lines)
    assert told[-5:] == [
        "1 deactivated",
        "1 readdressed",
        "1 reactivated",
        "1 merged",
        "2 readdressed",
    ]
    rows = [json.loads(line) for line in lines]
    addresses = [(each["change"], each["email"], each["previous_email"]) for each in rows[-5:]]
    assert addresses == [
        ("deactivated", ANN, None),
        ("readdressed", "ann@new.no", ANN),
        ("reactivated", "ann@new.no", None),
        ("merged", None, "ann@new.no"),
        ("readdressed", "bo@new.no", BO),
    ]
    require_followed(cli.store, follower, [1])


@pytest.mark.sampled
@pytest.mark.skipif(os.name == "nt", reason="kill -9")
@pytest.mark.parametrize("command", ["merge", "readdress"])
def test_killed_in_the_middle_nothing_or_all_of_it_is_done(cli: StoreCli, command: str) -> None:
    ingest(cli, bounce(BO), bounce(BO, "spam-complaint"))
    named = ["--config", cli.folder / "contactctl.yaml", "--database", cli.url]
    args = {
        "merge": ["contacts", "merge", ANN, BO, "--confirm", BO],
        "readdress": ["contacts", "readdress", BO, "bo@new.no", "--confirm", "bo@new.no"],
    }
    before = dump(cli.store)
    for number in moments(3, 4, sample=3):
        assert dump(cli.store) == before
        death = Death("before a statement", number)
        exit_code = exit_code_of(start_cli([*args[command], *named], death=death))
        if exit_code != KILLED:
            break
    assert (exit_code, number >= 15) == (0, True)
    assert dump(cli.store) != before
    assert ok(cli, "db", "check")["in_order"]


@pytest.mark.skipif(os.name == "nt", reason="processes are forked")
def test_of_two_who_give_one_address_away_at_once_one_is_refused(cli: StoreCli) -> None:
    named = ["--config", cli.folder / "contactctl.yaml", "--database", cli.url]
    together = barrier(2)
    new = ["new@new.no", "--confirm", "new@new.no"]
    both = [
        start_cli(["contacts", "readdress", name, *new, *named], together=together)
        for name in (ANN, BO)
    ]
    assert sorted(exit_code_of(each) for each in both) == [0, 4]
    assert [each["email"] for each in ok(cli, "contacts", "list")["contacts"]].count(
        "new@new.no"
    ) == 1


# Deactivating one


# Tags


# Attributes that the config lost
