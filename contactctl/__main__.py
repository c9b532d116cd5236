"""The entry point: `contactctl` and `python -m contactctl`."""

import sys


def main() -> None:
    """Answer --version at once; everything else goes through the command line's wrapper."""
    if sys.argv[1:] == ["--version"]:
        from contactctl import __version__

        print(f"contactctl {__version__}")  # noqa: T201
        return
    from contactctl.cli.run import main as run_main

    run_main()


if __name__ == "__main__":
    main()
