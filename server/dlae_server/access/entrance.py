"""What a server asks of those who come in, checked before it starts."""

from dlae_server.access.certificates import Certificates, certificates_of
from dlae_server.access.guard import Guard
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
    loopback = is_loopback(settings.listen)
    certificates = certificates_of(settings)
    grants = read_grants(settings.data_dir)
    if not loopback and certificates is None:
        raise CannotStart(
            f"expected --tls-certificate and --tls-key for '{settings.listen}', which other "
            "machines can reach, got neither; without them only loopback addresses such as "
            "127.0.0.1:50051 are served"
        )
    required = settings.require_tokens or not loopback
    if required and not any(grant.state == "valid" for grant in grants):
        raise CannotStart(
            f"expected a valid token for '{settings.listen}', got none; make one with "
            "`dlae-server token create NAME --scope admin` and the same --data-dir"
        )
    proves = settings.tls_client_ca is not None
    limits = Limits(
        settings.calls_per_caller,
        settings.calls_per_second,
        settings.bytes_per_caller,
        settings.stream_silence_seconds,
    )
    return Guard(settings.data_dir, required, proves, limits), certificates
