"""The server of `helpers.warm_python`, in a process that has everything imported.

A client sends its argv, folder and environment, and its streams; then a byte for each signal that
it gets. It is told the wait status of its fork, which is killed when the client is gone.
"""

import atexit
import os
import pickle
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

PROGRAM = "contactctl"
_LENGTH_BYTES = 4


def serve(address: str, log: str, asking: Connection) -> None:
    """Fork for each client, until the other end of `asking` is closed."""
    with open(log, "wb") as stream:  # noqa: PTH123
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address + ".new")
        listener.listen(64)
        os.rename(address + ".new", address)  # noqa: PTH104  (a socket; it listens once it is seen)
        Server(listener, asking).serve()


class Server:
    """Forks for clients, and passes signals and wait statuses on."""

    def __init__(self, listener: socket.socket, asking: Connection) -> None:
        self.listener = listener
        self.asking = asking
        self.clients: dict[int, socket.socket] = {}  # by the number of their process
        self.awoken, self.wakes = socket.socketpair()
        for end in (self.awoken, self.wakes):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno())

    def serve(self) -> None:
        """Until nobody is there who asks."""
        self.selector = selectors.DefaultSelector()
        for waited_for in (self.asking, self.listener, self.awoken):
            self.selector.register(waited_for, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.asking:
                    for number in self.clients:
                        os.kill(number, signal.SIGKILL)
                    return
                if key.fileobj is self.listener:
                    self._fork()
                elif key.fileobj is self.awoken:
                    self.awoken.recv(1024)
                    self._tell_of_the_ended()
                elif key.data in self.clients:
                    self._signal(key.data)

    def _fork(self) -> None:
        client = self.listener.accept()[0]
        message, streams, *_ = socket.recv_fds(client, 1 << 16, 3)
        number = os.fork()
        if not number:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # ignored where the tests run in the background of a script
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.selector.close()
            self.listener.close()
            for other in self.clients.values():
                other.close()
            _become(client, message, streams)
        for stream in streams:
            os.close(stream)
        self.clients[number] = client
        self.selector.register(client, selectors.EVENT_READ, number)

    def _signal(self, number: int) -> None:
        signals = self.clients[number].recv(16)
        if not signals:
            self.selector.unregister(self.clients[number])
        for one in signals or [signal.SIGKILL]:
            os.kill(number, one)

    def _tell_of_the_ended(self) -> None:
        while self.clients:
            number, status = os.waitpid(-1, os.WNOHANG)
            if not number:
                return
            client = self.clients.pop(number)
            with suppress(KeyError):
                self.selector.unregister(client)
            with client, suppress(OSError):
                client.sendall(status.to_bytes(4, "big"))


def _become(client: socket.socket, message: bytes, streams: list[int]) -> NoReturn:
    """The process that the client stands for: run what it was called with, and end."""
    exit_code = 1
    try:
        size = int.from_bytes(message[:_LENGTH_BYTES], "big")
        while len(message) < _LENGTH_BYTES + size:
            message += client.recv(1 << 20)
        argv, folder, environment = pickle.loads(message[_LENGTH_BYTES:])
        client.close()
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        _take_streams(streams)
        exit_code = _run(argv)
    except BaseException:  # as an interpreter tells of what nobody has caught
        traceback.print_exc()
    finally:
        _end(exit_code)


def _take_streams(streams: list[int]) -> None:
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for number, name, errors in (
        (0, "stdin", "strict"),
        (1, "stdout", "strict"),
        (2, "stderr", "backslashreplace"),
    ):
        opened = os.fdopen(number, "r" if number == 0 else "w", encoding=encoding, errors=errors)
        if number == 2:
            opened.reconfigure(line_buffering=True)
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)


def _run(argv: list[str]) -> int:
    """As `python ARGV` does; returns the exit code."""
    program, *arguments = argv
    if Path(program).name == PROGRAM:
        arguments = ["-m", PROGRAM, *arguments]
    kind, *rest = arguments
    sys.path.insert(0, str(Path(kind).resolve().parent) if Path(kind).is_file() else "")
    try:
        if kind == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif kind == "-c":
            sys.argv = ["-c", *rest[1:]]
            exec(rest[0], {"__name__": "__main__"})
        else:
            sys.argv = arguments
            runpy.run_path(kind, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _end(exit_code: int) -> NoReturn:
    """What an interpreter does at its end, but for taking everything apart."""
    with suppress(Exception):
        threading._shutdown()
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            exit_code = exit_code or 120
    os._exit(exit_code)
