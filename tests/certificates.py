"""Certificates made for a test: an authority, and what it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS = ("localhost", "127.0.0.1")


class Authority:
    """Signs certificates and writes them into a folder.

    Attributes:
        path: Its own certificate.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.pem"
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        built = self._builder(self._name, self._key.public_key(), 1.0)
        signed = built.add_extension(constraint, critical=True).sign(self._key, hashes.SHA256())
        self.path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def signs(
        self, name: str, hosts: tuple[str, ...] = HOSTS, days: float = 1.0, file: str = ""
    ) -> tuple[Path, Path]:
        """Writes a certificate and its key; returns both paths.

        Args:
            name: Common name.
            hosts: For which it is valid; none for a client.
            days: How long from now; below 0: it has expired.
            file: Stem of the files; by default the name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._builder(_name(name), key.public_key(), days)
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        built = built.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            built = built.add_extension(names, critical=False)
        chain = built.sign(self._key, hashes.SHA256())
        paths = tuple(self._folder / f"{file or name}.{end}" for end in ("pem", "key"))
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        texts = (chain.public_bytes(serialization.Encoding.PEM), private)
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text)
        return paths[0], paths[1]

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: float
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
