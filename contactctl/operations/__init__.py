"""What the program does: each operation takes a store and returns a result.

A module is imported when it is first named, as in `operations.runs.apply_run`: whoever only reads a
command's help loads none (https://scientific-python.org/specs/spec-0001/).
"""

from typing import TYPE_CHECKING

from contactctl.domain.lazy import modules_of

if TYPE_CHECKING:
    from contactctl.operations import (
        address_lists,
        addresses,
        changes,
        contacts,
        copies,
        criteria,
        database,
        demo,
        editing,
        erasure,
        explain,
        fetch,
        groups,
        handling,
        ingest,
        ingest_rows,
        plans,
        policy,
        pushing,
        reactivation,
        reading,
        response_policy,
        responses,
        runs,
        secrets,
        status,
        suppressions,
        sweep,
        sync,
        thresholds,
        upkeep,
    )
else:
    __getattr__ = modules_of(__name__)
