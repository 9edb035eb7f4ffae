"""Ends with 0 where a server on this machine answers: the health check of the container.

It asks over HTTP on the loopback, which needs neither certificate nor token: `/v2/health/ready` at
DLAE_REST_ADDRESS, by default 127.0.0.1:8000.
"""

import http.client
import os
import sys

SECONDS = 4.0


def is_ready(address: str) -> bool:
    """Returns whether the server at `host:port` is ready."""
    connection = http.client.HTTPConnection(address, timeout=SECONDS)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready(os.environ.get("DLAE_REST_ADDRESS", "127.0.0.1:8000")))
