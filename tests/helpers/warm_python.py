"""A Python that has the program imported already: what a test starts as a process starts at once.

`warm_python()` is an executable that is called as `python` is, `-m MODULE`, `-c CODE` or `SCRIPT`
with arguments. It hands its streams, folder, environment and signals to a server, which forks: a
command line takes a tenth of a second instead of one. It is not for tests about imports or
start-up, nor for kill -9: that reaches the fork a moment later (see `helpers.processes`).
"""

import atexit
import shutil
import sys
import tempfile
import time
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from helpers import warm_server
from helpers.processes import warmed

_CLIENT = """\
#!/bin/sh
'''exec' "{python}" -SEs "$0" "$@"
' '''
import _signal, _socket, os, sys
from _pickle import dumps

connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect({address!r})
def pass_on(number, _):
    try:
        connection.send(bytes([number]))
    except OSError:
        pass  # it has ended

for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGWINCH):
    _signal.signal(number, pass_on)
request = dumps((sys.argv, os.getcwd(), dict(os.environ)))
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
request = len(request).to_bytes(4, "big") + request
sent = connection.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
while sent < len(request):
    sent += connection.send(request[sent:])
status = int.from_bytes(connection.recv(4) or bytes([0, 0, 1, 0]), "big")
if os.WIFSIGNALED(status):
    if os.WTERMSIG(status) != _signal.SIGKILL:
        _signal.signal(os.WTERMSIG(status), _signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.waitstatus_to_exitcode(status))
"""


@cache
def warm_python() -> str:
    """The path of the executable; its server lives as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="cctl-warm-", dir="/tmp"))
    address, log = folder / "socket", folder / "log"
    theirs, ours = warmed().Pipe(duplex=False)
    server = warmed().Process(target=warm_server.serve, args=(str(address), str(log), theirs))
    server.start()
    theirs.close()
    atexit.register(_end, server, ours, folder)
    while not address.exists():
        if not server.is_alive():
            raise RuntimeError(log.read_text())
        time.sleep(0.02)
    client = folder / "python"
    client.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    return str(client)


@cache
def folder_of_contactctl() -> str:
    """A folder for PATH, where a shell finds `contactctl`."""
    folder = Path(warm_python()).with_name("bin")
    folder.mkdir()
    (folder / warm_server.PROGRAM).symlink_to(warm_python())
    return str(folder)


def _end(server: BaseProcess, ours: Connection, folder: Path) -> None:
    ours.close()
    server.join()
    shutil.rmtree(folder, ignore_errors=True)
