"""The rows of `config show`."""

from contactctl.output.config import config_rows


def rows(loaded):
    return {row.key: (row.value, row.origin) for row in config_rows(loaded)}


def test_defaults_are_shown_as_defaults(load, tmp_path):
    shown = rows(load())
    assert {origin for _, origin in shown.values()} == {"default"}
    assert shown["limits.max_contacts"][0] == "10000"
    assert shown["limits.max_percent"][0] == "25"
    assert shown["plans.expire_after"][0] == "1 day"
    assert shown["plans.approval"][0] == "same-operator"
    assert shown["allow_undo"][0] == "false"
    assert shown["database"][0] == f"sqlite:///{tmp_path}/data/contactctl/contacts.db"


def test_every_kind_of_value_is_shown_with_its_origin(load):
    shown = rows(
        load(
            """\
            attributes: {plan: text, tier: [gold, silver]}
            billing: {tiers: [{up_to: 1000, price: 29.10}, {price: 249}]}
            thresholds: {blocked: {count: 1}, transient: {count: 5, within: 36 hours}}
            handling: {transient: {reactivate_after: 2 weeks}}
            response_rules: [{id: a}]
            mailboxes: {b: {url: imaps://me@host/In, password_file: /pw}}
            groups:
              News:
                thresholds: {blocked: {count: 2}}
                handling: {blocked: {remove_from_group_after: 1 day}}
            """,
            environ={"CONTACTCTL_ALLOW_UNDO": "true"},
        )
    )
    assert shown["attributes.plan"] == ("text", "contactctl.yaml:1")
    assert shown["attributes.tier"] == ("gold, silver", "contactctl.yaml:1")
    assert shown["billing.tiers"] == ("up to 1000: 29.10, more: 249", "contactctl.yaml:2")
    assert shown["billing.currency"] == ("USD", "default")
    assert shown["thresholds.blocked"] == ("1", "contactctl.yaml:3")
    assert shown["thresholds.transient"] == ("5 within 36 hours", "contactctl.yaml:3")
    assert shown["handling.transient"] == ("reactivate after 14 days", "contactctl.yaml:4")
    assert shown["groups.News"] == (
        "blocked: 2; blocked: remove from group after 1 day; deactivate: system-wide;"
        " bypass_system_wide: false",
        "contactctl.yaml:8",
    )
    assert shown["response_rules"] == ("1 rule", "contactctl.yaml:5")
    assert shown["mailboxes.b"] == (
        "imaps://me@host:993/In; password from /pw; mark-seen",
        "contactctl.yaml:6",
    )
    assert shown["allow_undo"] == ("true", "CONTACTCTL_ALLOW_UNDO")


def test_passwords_are_hidden(load):
    environ = {"CONTACTCTL_DATABASE_URL": "postgresql://me:s3cret@host/db?sslpassword=s3cret2"}
    value, origin = rows(load(environ=environ))["database"]
    assert value == "postgresql://me:***@host/db?sslpassword=***"
    assert origin == "CONTACTCTL_DATABASE_URL"


def test_every_key_of_the_full_example_has_a_row(load, full_example):
    """A key that can be set and is not shown would be missing here."""
    loaded = load(full_example)
    assert loaded.origins.keys() == rows(loaded).keys()
