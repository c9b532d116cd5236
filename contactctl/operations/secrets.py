"""Keys and passwords: from a file, a variable, or a command that prints a token."""

import shlex
import subprocess
from collections.abc import Mapping

from contactctl.domain.errors import ConfigError
from contactctl.domain.sources import Secret

_LONGEST = 10_000  # a device has no end
_COMMAND_S = 60.0


def read_secret(secret: Secret, whose: str, environ: Mapping[str, str]) -> str:
    """The key, one line. `whose` is said in errors, which never contain it. Raises ConfigError."""
    if secret.command is not None:
        return _printed(secret.command, whose)
    if secret.file is None:
        variable = secret.env or ""
        if not environ.get(variable):
            raise ConfigError(
                f"{whose}: {variable} is not set",
                hint="it must contain the password; or use a file",
            )
        return environ[variable]
    try:
        with secret.file.open(encoding="utf-8") as file:
            first_line = file.readline(_LONGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"{whose}: {secret.file}: {reason}",
            hint="the file contains the password in its first line",
        ) from error
    if not first_line:
        raise ConfigError(f"{whose}: {secret.file} is empty")
    return first_line


def _printed(command: str, whose: str) -> str:
    """The first line that a command prints; what else it says goes to stderr as it is."""
    try:
        done = subprocess.run(
            shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_S, check=False
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{whose}: token_command: {reason}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"{whose}: token_command has not ended within {_COMMAND_S:.0f} s",
            hint="it must not ask anything",
        ) from None
    token = done.stdout[:_LONGEST].decode(errors="replace").partition("\n")[0].strip()
    if done.returncode or not token or not token.isprintable():
        said = f"has failed ({done.returncode})" if done.returncode else "prints no token"
        raise ConfigError(
            f"{whose}: token_command {said}", hint="run it yourself: it must print the token alone"
        )
    return token
