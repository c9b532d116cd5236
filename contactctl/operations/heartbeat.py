"""Telling a watchdog that cron is at work: it raises the alarm when nothing comes any more."""

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from contactctl import __version__

_PATIENCE_S = 5.0


def ping(url: str) -> str:
    """Ask for the URL once; why that failed, '' where it was answered with success.

    The URL itself is a secret of whoever has it, and never part of the reason.
    """
    request = Request(url, headers={"User-Agent": f"contactctl/{__version__}"})  # noqa: S310
    try:
        with urlopen(request, timeout=_PATIENCE_S):  # noqa: S310 - the config takes http(s) alone
            return ""
    except HTTPError as error:
        with error:
            return f"HTTP status {error.code}"
    except URLError as error:
        reason = error.reason
        return str(reason.strerror or reason) if isinstance(reason, OSError) else str(reason)
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
