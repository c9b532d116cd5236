"""The rules for statements of a store that is spread over machines, and that they can be broken."""

import pytest

from helpers.statements import broken_rules, writes

FINE = (
    "SELECT c.id FROM contact c JOIN membership m ON m.contact_id = c.id",
    "SELECT id FROM contact WHERE EXISTS"
    " (SELECT 1 FROM response r WHERE r.contact_id = contact.id)",
    "SELECT id FROM contact WHERE id IN"
    " (SELECT contact_id FROM contact_email WHERE email_key = 'x')",
    "SELECT run.id FROM run WHERE run.id IN (SELECT run_id FROM plan_item)",
    "SELECT 1 FROM plan_item i JOIN run r ON r.id = i.run_id",
    "INSERT INTO change (run_id) SELECT m.contact_id FROM membership m",
    "SELECT u.source_key FROM unmatched_response u"
    " JOIN contact_email a ON a.email_key = u.email_key",
    'SELECT g.name FROM membership m JOIN "group" g ON g.id = m.group_id',
    "UPDATE contact SET email = s.email FROM import_row s WHERE contact.id = s.contact_id",
    "UPDATE contact SET updated = (SELECT max(r.occurred_at) FROM response r"
    " WHERE r.contact_id = contact.id)",
    "SELECT a.id FROM contact a JOIN staged s ON s.n = a.id JOIN response r ON r.contact_id = s.n",
    "SELECT c.id FROM (SELECT DISTINCT contact_id, day FROM sign) s JOIN contact c"
    " ON c.id = s.contact_id WHERE NOT EXISTS"
    " (SELECT 1 FROM delivery d WHERE d.contact_id = c.id AND d.occurred_at = s.day)",
    "SELECT string_agg(CAST(contact_id AS text), ',') FROM contact_email",
    "INSERT INTO unswept (contact_id) SELECT contact_id FROM response"
    " ON CONFLICT (contact_id) DO UPDATE SET is_begun = false",
    "SET LOCAL lock_timeout = 5",
)
BROKEN = (
    (
        "SELECT c.id FROM contact c JOIN contact_email a ON a.email_key = c.email_key",
        "not joined by what cuts them",
    ),
    (
        "SELECT 1 FROM contact c JOIN deactivation d ON d.contact_id > c.id",
        "not joined by what cuts them",
    ),
    ("SELECT 1 FROM contact, response", "not joined by what cuts them"),
    (
        "DELETE FROM membership WHERE EXISTS (SELECT 1 FROM contact c WHERE c.email ="
        " 'x' AND c.id = membership.group_id)",
        "not joined by what cuts them",
    ),
    (
        "SELECT count(*) FROM plan_item WHERE NOT EXISTS"
        " (SELECT 1 FROM run WHERE run.id = plan_item.run_id)",
        "a subquery of run depends on a cut table",
    ),
    (
        "SELECT run.id FROM run WHERE EXISTS (SELECT 1 FROM plan_item i WHERE i.run_id = run.id)",
        "depends on run",
    ),
    (
        "INSERT INTO new_delivery SELECT s.contact_id FROM seen_delivery s WHERE NOT EXISTS"
        " (SELECT 1 FROM delivery d WHERE d.contact_id = s.contact_id)",
        "depends on seen_delivery",
    ),
    (
        "UPDATE contact SET email = (SELECT 'a' FROM response r WHERE r.contact_id = contact.id),"
        " phone = (SELECT 'b' FROM response r WHERE r.contact_id = contact.id)",
        "more than one subquery in SET",
    ),
    (
        "SELECT c.id FROM (SELECT DISTINCT contact_id FROM sign) s JOIN contact c"
        " ON c.id = s.contact_id WHERE NOT EXISTS"
        " (SELECT 1 FROM delivery d WHERE d.contact_id = s.contact_id)",
        "depends on s",
    ),
    ("SELECT string_agg(CAST(email_key AS text), ',') FROM contact_email", "of a text"),
    (
        "INSERT INTO unswept (contact_id) SELECT contact_id FROM response"
        " ON CONFLICT (contact_id) DO UPDATE SET is_begun = %(no)s",
        "bound value in ON CONFLICT",
    ),
    ("UPDATE contact SET updated = now()", "volatile now()"),
    ("INSERT INTO contact (id) SELECT id FROM contact ORDER BY random()", "volatile random()"),
    (
        "UPDATE contact SET attributes = jsonb_build_object('b', contact.attributes -> 'a')",
        "jsonb_build_object() in SET",
    ),
)


@pytest.mark.parametrize("statement", FINE)
def test_what_a_cluster_can_do(statement: str) -> None:
    assert broken_rules(statement) == ()


@pytest.mark.parametrize(("statement", "words"), BROKEN)
def test_a_broken_rule_is_told(statement: str, words: str) -> None:
    assert any(words in each for each in broken_rules(statement))


def test_who_changes_a_group_is_seen() -> None:
    group = frozenset({"group"})
    assert writes('INSERT INTO "group" (name) VALUES (%(name)s::VARCHAR)', group)
    assert writes('DELETE FROM "group" WHERE id = 1', group)
    assert not writes('SELECT name FROM "group"', group)
