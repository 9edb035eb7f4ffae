"""Addresses that the server may take."""

import ipaddress

from dlae_server.errors import CannotStart


def is_loopback(address: str, option: str = "--listen") -> bool:
    """Returns whether only this machine can reach an address.

    Args:
        address: `host:port`.
        option: Where it was given, for messages.

    Raises:
        CannotStart: It is no address.
    """
    host, _, port = address.rpartition(":")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
        valid = 0 <= int(port) < 65536
    except ValueError as error:
        raise CannotStart(f"expected {option} HOST:PORT, got '{address}'") from error
    if not valid:
        raise CannotStart(f"expected a port from 0 to 65535, got {port}")
    return loopback


def metrics_host(listen: str, given: str | None) -> str:
    """Returns where metrics are served: as told, else where only this machine can reach them."""
    if given is not None:
        return given
    return listen.rpartition(":")[0].strip("[]") if is_loopback(listen) else "127.0.0.1"
