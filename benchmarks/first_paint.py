"""How long `contactctl build` leaves the terminal black: from the command to its first picture.

    python benchmarks/first_paint.py [ROUNDS]

Prints wall seconds and CPU seconds of the process until the first picture stands in a terminal of
80x24, and until the conditions have their count.
"""

import os
import pty
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.store.database.migrate import create_store  # noqa: E402
from helpers.contacts import seed_contacts  # noqa: E402

CONTACTS = 5_000
TARGET_S = 1.0
FIRST, COUNTED = b"Bulk deactivate contacts", b"Left out"
GIVE_UP_S = 60


def measure(database: str) -> tuple[float, float, float]:
    """Wall and CPU seconds to the first picture, and wall seconds to the first count."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        arguments = ["-m", "contactctl", "build", "--database", database]
        os.execv(sys.executable, [sys.executable, *arguments])
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        _read_until(terminal, FIRST)
        painted, cpu = time.perf_counter() - started, _cpu_seconds(pid)
        os.write(terminal, b"\r")
        _read_until(terminal, COUNTED)
        return painted, cpu, time.perf_counter() - started
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _read_until(terminal: int, wanted: bytes) -> None:
    seen, give_up = b"", time.monotonic() + GIVE_UP_S
    while wanted not in seen:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{wanted!r} never appeared")
        seen = seen[-200:] + os.read(terminal, 65_536)


def _cpu_seconds(pid: int) -> float:
    """User and system time so far (proc(5), fields 14 and 15 of `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/contacts.db"
        store = create_store(database)
        seed_contacts(store, CONTACTS)
        store.close()
        measure(database)  # compiles the modules, as for users after their first start
        walls, cpus, counts = zip(*(measure(database) for _ in range(rounds)), strict=True)
    cpu = statistics.median(cpus)
    print(f"first picture: {statistics.median(walls):.2f} s, of these {cpu:.2f} s of CPU")
    print(f"  to reach: {TARGET_S:.1f} s of CPU: {'reached' if cpu <= TARGET_S else 'MISSED'}")
    print(f"first count, Enter pressed at once: {statistics.median(counts):.2f} s")


if __name__ == "__main__":
    main()
