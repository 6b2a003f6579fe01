"""Write down every name and address beyond loopback that this Python asks for.

On PYTHONPATH of a process it is imported first, so that nothing is asked for before it listens.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")
_ASKS = (*_NAMES, "socket.connect", "socket.sendto")
_NEAR = ("", "0.0.0.0", "::", "::1", "localhost")  # noqa: S104  # compared, not bound


def _is_near(host: str) -> bool:
    return host in _NEAR or host.startswith(("127.", "::ffff:127."))


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _ASKS:
        return
    where = arguments[0] if event in _NAMES else arguments[1]
    host = where[0] if isinstance(where, tuple) else where
    # What is connected to without being a host and a port is a unix socket; no host is this one.
    if host is None or (event not in _NAMES and not isinstance(where, tuple)):
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if not _is_near(host):
        with open(os.environ["INTEL_TEST_HEARD"], "a") as heard:  # noqa: PTH123  # before pathlib
            heard.write(f"{event} {host} by {' '.join(sys.orig_argv)}\n")


if "INTEL_TEST_HEARD" in os.environ:
    sys.addaudithook(_listen)
