"""Log and refuse each attempt of Python code to reach another machine.

``tests/test_no_network.py`` copies this file as ``sitecustomize.py`` into a folder on ``PYTHONPATH``, so that a command and
every Python process that it starts load it. It is an audit hook: it sees connections, datagrams and name lookups however
they are called, but not the sockets that compiled code opens for itself. Without the environment variable
``CONNECTION_LOG`` it does nothing.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from typing import Any

LOG = os.environ.get("CONNECTION_LOG")
LOCAL_FAMILIES = {getattr(socket, name, None) for name in ("AF_UNIX", "AF_NETLINK")}
WITH_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
WITH_HOST = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def is_local(host: Any) -> bool:
    """Say whether a host's name or address is this machine."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def find_remote(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the remote end of an audited call of the module `socket`, None if it stays on this machine."""
    if event in WITH_ADDRESS:
        connection, address = arguments[:2]
        if address is None or connection.family in LOCAL_FAMILIES:
            return None
        internet = connection.family in {socket.AF_INET, socket.AF_INET6}
        return None if internet and is_local(address[0]) else str(address)
    if event in WITH_HOST:
        return None if is_local(arguments[0]) else str(arguments[0])
    return None


def list_callers() -> list[str]:
    """List the modules outside the standard library that are being executed, innermost first."""
    names, frame = [], sys._getframe(1)
    while frame is not None:
        names.append(frame.f_globals.get("__name__", "?"))
        frame = frame.f_back  # type: ignore[assignment]
    outside = [name for name in names if name.partition(".")[0] not in {*sys.stdlib_module_names, "sitecustomize"}]
    return list(dict.fromkeys(outside))


def refuse_remote(event: str, arguments: tuple[Any, ...]) -> None:
    """Log a call that would reach another machine, and raise OSError instead of making it."""
    if not event.startswith("socket.") or LOG is None:
        return
    remote = find_remote(event, arguments)
    if remote is not None:
        with open(LOG, "a", encoding="utf-8") as file:
            file.write(f"{event} to {remote} by {', '.join(list_callers()) or 'the main program'}\n")
        raise OSError(errno.ENETUNREACH, f"{event} to {remote} refused by the tests")


if LOG:
    sys.addaudithook(refuse_remote)
