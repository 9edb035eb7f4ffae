"""Addresses that the server may take."""

import ipaddress

from dlae_server.errors import CannotStart


def require_loopback(address: str, option: str = "--listen") -> None:
    """Refuses an address that other machines can reach.

    Args:
        address: `host:port`.
        option: Where it was given, for messages.

    Raises:
        CannotStart: It is none of this machine's own, or no address.
    """
    host, _, port = address.rpartition(":")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
        valid = 0 <= int(port) < 65536
    except ValueError as error:
        raise CannotStart(f"expected {option} HOST:PORT, got '{address}'") from error
    if not valid:
        raise CannotStart(f"expected a port from 0 to 65535, got {port}")
    if not loopback:
        raise CannotStart(
            f"expected a loopback address such as 127.0.0.1:{port}, got '{address}': this version "
            "has neither encryption nor authentication and serves this machine only"
        )
