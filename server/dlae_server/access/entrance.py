"""What a server asks of those who come in, checked before it starts."""

from collections.abc import Iterator
from importlib import import_module

from dlae_server.access.certificates import Certificates, certificates_of
from dlae_server.access.guard import Guard, Issuer
from dlae_server.access.limits import Limits
from dlae_server.access.tokens import read_grants
from dlae_server.addresses import is_loopback
from dlae_server.errors import CannotStart
from dlae_server.settings import Settings


def entrance_of(settings: Settings) -> tuple[Guard, Certificates | None]:
    """Returns who decides call by call, and what the server proves who it is with; writes nothing.

    Without certificates it serves without TLS.

    Raises:
        CannotStart: The address is none, other machines can reach it and it is not safe, or files
            of certificates cannot be used.
        CorruptArtifact: The tokens cannot be read.
    """
    reached = [
        address for address, option in _addresses(settings) if not is_loopback(address, option)
    ]
    certificates = certificates_of(settings)
    grants = read_grants(settings.data_dir)
    if reached and certificates is None:
        raise CannotStart(
            f"expected --tls-certificate and --tls-key for '{reached[0]}', which other "
            "machines can reach, got neither; without them only loopback addresses such as "
            "127.0.0.1:50051 are served"
        )
    required = settings.require_tokens or bool(reached)
    issuer = issuer_of(settings)
    if required and issuer is None and not any(grant.state == "valid" for grant in grants):
        address = (*reached, settings.listen)[0]
        raise CannotStart(
            f"expected a valid token for '{address}', got none; make one with "
            "`dlae-server token create NAME --scope admin` and the same --data-dir"
        )
    proves = settings.tls_client_ca is not None
    limits = Limits(
        settings.calls_per_caller,
        settings.calls_per_second,
        settings.bytes_per_caller,
        settings.stream_silence_seconds,
    )
    guard = Guard(settings.data_dir, required or issuer is not None, proves, limits)
    guard.issuer = issuer
    return guard, certificates


def issuer_of(settings: Settings) -> Issuer | None:
    """Returns who issues tokens besides this server; None where nobody does.

    Raises:
        CannotStart: The extra is not installed, or options are missing or no use.
    """
    if settings.oidc_issuer is None:
        return None
    try:
        oidc = import_module("dlae_server.access.oidc")
    except ImportError as error:
        raise CannotStart(
            f"expected the extra 'oidc' for --oidc-issuer, {error.name} is missing; install it "
            "with `pip install 'dlae[oidc]'`"
        ) from error
    found: Issuer = oidc.issuer(settings)
    return found


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yields where calls come in, each with its option."""
    yield settings.listen, "--listen"
    if settings.rest_address is not None:
        yield settings.rest_address, "--rest-address"
