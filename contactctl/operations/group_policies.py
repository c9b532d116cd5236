"""The response policy in force: the config's, with what `groups set` keeps for other groups."""

from contactctl.domain.group_settings import parse_group_settings, with_stored_groups
from contactctl.domain.policies import ResponsePolicy
from contactctl.operations.session import Session
from contactctl.store.group_admin import stored_settings
from contactctl.store.groups import group_ids


def policy_in_force(session: Session) -> ResponsePolicy:
    """Thresholds, handling and groups as they hold now.

    A group that the config names is as the config says, as a whole; `groups set` speaks for the
    others.
    """
    with session.store.reading() as connection:
        stored = stored_settings(connection)
    policies = {
        folded: parse_group_settings(name, settings) for folded, (name, settings) in stored.items()
    }
    return with_stored_groups(session.settings.responses, policies)


def bypassing_groups(session: Session) -> frozenset[int]:
    """The ids of the groups that mail members although they are inactive system-wide."""
    policy = policy_in_force(session)
    with session.store.reading() as connection:
        ids = group_ids(connection)
    return frozenset(
        number for name, number in ids.items() if policy.group(name).bypass_system_wide
    )
