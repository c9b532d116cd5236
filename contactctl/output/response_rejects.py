"""Rejected mails, events and lines of an ingest, as JSON lines."""

import base64
import json

from contactctl.domain.responses import Rejection
from contactctl.output.reject_log import RejectLog


class ResponseRejects(RejectLog):
    """Writes one object a line: `source`, `reason`, and `raw` (or `raw_base64`) as it was read."""

    HINT = "--rejects FILE keeps everything that was rejected"
    BEGINNING = b'{"source": '

    def add(self, rejection: Rejection) -> None:
        self._count(rejection.source, rejection.reason)
        if self._file:
            self._file.write(json.dumps(_record(rejection)) + "\n")


def _record(rejection: Rejection) -> dict[str, str]:
    record = {"source": rejection.source, "reason": rejection.reason}
    try:
        return record | {"raw": rejection.raw.decode()}
    except UnicodeDecodeError:
        return record | {"raw_base64": base64.b64encode(rejection.raw).decode()}
