"""Results -> table, json, jsonl or csv; the only place that formats.

A module is imported when it is first named, as in `output.runs.present_run`.
"""

from typing import TYPE_CHECKING

from contactctl.domain.lazy import modules_of

if TYPE_CHECKING:
    from contactctl.output import (
        config,
        contacts,
        criteria,
        database,
        formats,
        groups,
        handling,
        ingest,
        picture,
        policy,
        rejects,
        responses,
        runs,
        status,
        suppressions,
        upkeep,
    )
else:
    __getattr__ = modules_of(__name__)
