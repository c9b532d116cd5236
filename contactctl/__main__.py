"""The entry point: `contactctl` and `python -m contactctl`."""

import gc
import sys

# imports make many objects and no cycles: looking for some takes a twentieth of a command's start
_OBJECTS_A_COLLECTION = 300_000
_INTERRUPTED = 130  # domain.errors.ExitCode, which is not imported yet


def main() -> None:
    """Answer --version at once; everything else goes through the command line's wrapper."""
    if sys.argv[1:] == ["--version"]:
        from contactctl import __version__

        print(f"contactctl {__version__}")  # noqa: T201
        return
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    try:
        from contactctl.processes import interrupted_by_signals

        interrupted_by_signals()
        from contactctl.cli.main import main as run_main
    except (KeyboardInterrupt, RuntimeError) as error:  # one within a class is wrapped, see _report
        if isinstance(error, RuntimeError) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.stderr.write("error: interrupted; nothing was begun\n")
        sys.exit(_INTERRUPTED)
    try:
        run_main()
    finally:
        gc.freeze()  # nor are cycles looked for at the end: the system takes all memory back


if __name__ == "__main__":
    main()
