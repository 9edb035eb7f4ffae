"""The server's certificate: read, checked, and read again when its files have changed."""

import logging
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from dlae_server.errors import CannotStart
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Certificate:
    """What a server proves who it is with, in PEM.

    Attributes:
        key: The private key.
        chain: The certificate and those it was signed with.
        client_ca: Who signs certificates of clients; None where they need none.
    """

    key: bytes
    chain: bytes
    client_ca: bytes | None

    def __repr__(self) -> str:
        return "Certificate()"


class Certificates:
    """The files of the server's certificate.

    Attributes:
        first: The certificate at the start.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        """Reads the files.

        Raises:
            CannotStart: They cannot be read, or do not belong together.
        """
        self._paths = (certificate, key, *((client_ca,) if client_ca else ()))
        self._seen: tuple[tuple[int, ...], ...] = ()
        try:
            self._seen = self._stamps()
            self.first = self._read()
        except (OSError, ssl.SSLError) as error:
            names = ", ".join(str(path) for path in self._paths)
            raise CannotStart(
                f"expected a certificate, its key and authorities in PEM in {names}, got what "
                f"cannot be used: {_why(error)}"
            ) from error

    def changed(self) -> Certificate | None:
        """Returns a new certificate; None where there is none, or none that can be used yet."""
        try:
            stamps = self._stamps()
            if stamps == self._seen:
                return None
            # Until files change again, one line in the log is enough.
            self._seen = stamps
            found = self._read()
        except (OSError, ssl.SSLError) as error:
            LOG.warning("the new certificate cannot be used, the old one stays: %s", _why(error))
            return None
        LOG.info("uses the new certificate in %s", self._paths[0])
        return found

    def context(self) -> ssl.SSLContext:
        """Returns what serves connections with these files: later ones with later files."""
        context = self._context()

        def renew(connection: ssl.SSLObject, name: str | None, seen: ssl.SSLContext) -> None:
            nonlocal context
            if self.changed() is not None:
                try:
                    context = self._context()
                except (OSError, ssl.SSLError) as error:
                    LOG.warning("the new certificate cannot be used: %s", _why(error))
            connection.context = context

        first, context.sni_callback = context, renew
        return first

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Refuses what does not belong together; a key with a password is asked for nowhere.
        context.load_cert_chain(self._paths[0], self._paths[1], password=lambda: b"")
        if len(self._paths) > 2:
            context.load_verify_locations(cafile=self._paths[2])
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _stamps(self) -> tuple[tuple[int, ...], ...]:
        found = [os.stat(path) for path in self._paths]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)

    def _read(self) -> Certificate:
        chain, key, *others = (path.read_bytes() for path in self._paths)
        self._context()
        return Certificate(key, chain, others[0] if others else None)


def certificates_of(settings: Settings) -> Certificates | None:
    """Returns the certificates of a server; None where it serves without TLS.

    Raises:
        CannotStart: Only some of the options are given, or files cannot be used.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None and settings.tls_client_ca is None:
        return None
    if certificate is None or key is None:
        raise CannotStart(
            "expected --tls-certificate and --tls-key together, got one of them, or "
            "--tls-client-ca alone"
        )
    return Certificates(certificate, key, settings.tls_client_ca)


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return f"{error.filename}: {error.strerror}"
