"""What a fetch from a provider's API found, as it is shown."""

from dataclasses import replace

from contactctl.domain.errors import ExitCode
from contactctl.operations.fetch import FetchResult
from contactctl.output.presentation import Presentation
from contactctl.output.rejects import ResponseRejects
from contactctl.output.responses import present_ingest


def present_fetch(result: FetchResult, rejects: ResponseRejects) -> Presentation:
    """What a fetch from a provider's API found; one that stopped in time is done in part."""
    shown = present_ingest(result.ingested, rejects)
    shown = replace(shown, data={**shown.data, "source": result.source})
    if not result.is_out_of_time:
        return shown
    warning = "the time is over: the next fetch goes on with the rest (--time-limit)"
    code = ExitCode.PARTIAL if shown.exit_code == ExitCode.DONE else shown.exit_code
    return replace(shown, warnings=[*shown.warnings, warning], exit_code=code)
