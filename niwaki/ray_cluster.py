"""Ray clusters, and the one line that says that there is none."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from niwaki.errors import NiwakiError

CLIENT_PORT = 10001  # Ray's own
PATIENCE_S = 10


def connect(address: str) -> None:
    """Make this process a user of the cluster at `address`, such as ``ray://head:10001``.

    Raises:
        NiwakiError: there is no such cluster.
    """
    import ray

    try:
        if ":" in address:
            _knock(address if "://" in address else f"ray://{address}")
        ray.init(address, ignore_reinit_error=True, log_to_driver=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise NiwakiError(f"cannot reach the Ray cluster {address}: {reason}") from None


def _knock(address: str) -> None:
    """Fail at once where nobody is: Ray would try again for half a minute, or minutes."""
    place = urlsplit(address)
    socket.create_connection((place.hostname or "", place.port or CLIENT_PORT), PATIENCE_S).close()
