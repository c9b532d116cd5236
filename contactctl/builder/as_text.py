"""Criteria as text to copy into a shell."""

from contactctl.domain.criteria import Criteria, as_flags


def criteria_as_flags(criteria: Criteria) -> str:
    """The flags of `preview` and `deactivate`; for nested groups, what to do instead."""
    flags = as_flags(criteria)
    if flags is None:
        return "Nested groups have no flags.\nSave them as YAML: --criteria FILE takes that."
    return flags.replace(" --where", " \\\n  --where")
