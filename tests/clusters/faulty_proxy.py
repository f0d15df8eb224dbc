"""A network that fails: a TCP proxy before a store that drops connections, delays answers and cuts them short."""

import random
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.clusters.daemons import HOST

DROP, DELAY, CUT = 0.03, 0.05, 0.03  # probability, for each piece that arrives
LONGEST_DELAY = 0.5  # seconds
PIECE = 65536  # bytes


class FaultyProxy:
    """A running proxy; `faults` counts what it has done."""

    def __init__(self, root: str, to_port: int, seed: int):
        self.root, self.faults = root, Counter[str]()
        self._to_port, self._random, self._lock = to_port, random.Random(seed), threading.Lock()

    def _drawn(self) -> str:
        """Draw what happens to a piece, and count it."""
        with self._lock:
            number = self._random.random()
            for name, probability in (("drop", DROP), ("delay", DELAY), ("cut", CUT)):
                if number < probability:
                    self.faults[name] += 1
                    return name
                number -= probability
        return ""

    def serve(self, client: socket.socket) -> None:
        """Carry the bytes of one connection both ways until either side, or a fault, ends it."""
        with suppress(OSError), socket.create_connection((HOST, self._to_port)) as server:
            forth = threading.Thread(target=self._carry, args=(client, server, False), daemon=True)
            forth.start()
            self._carry(server, client, True)

    def _carry(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                fault = self._drawn()
                if fault == "delay":
                    time.sleep(LONGEST_DELAY * self._random.random())
                elif fault == "drop" or (fault == "cut" and not is_answer):
                    break
                elif fault == "cut":
                    target.sendall(piece[: len(piece) // 2])
                    break
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(
                    socket.SHUT_RDWR
                )  # close alone waits for the thread that reads from the other way
            end.close()


@contextmanager
def faulty(to_port: int, seed: int) -> Iterator[FaultyProxy]:
    """Start a proxy before a port of this machine."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            proxy.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

    with Server((HOST, 0), Handler) as server:
        proxy = FaultyProxy(f"http://{HOST}:{server.server_address[1]}", to_port, seed)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield proxy
        server.shutdown()
