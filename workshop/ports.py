"""Ports of this machine for servers that are started to be measured or tested."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """So many ports that nobody uses."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
