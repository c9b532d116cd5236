"""The entry point: `contactctl` and `python -m contactctl`."""

import gc
import sys

# imports make many objects and no cycles: looking for some takes a twentieth of a command's start
_OBJECTS_A_COLLECTION = 20_000


def main() -> None:
    """Answer --version at once; everything else goes through the command line's wrapper."""
    if sys.argv[1:] == ["--version"]:
        from contactctl import __version__

        print(f"contactctl {__version__}")  # noqa: T201
        return
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    from contactctl.cli.main import main as run_main

    run_main()


if __name__ == "__main__":
    main()
