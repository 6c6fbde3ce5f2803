"""TLS for the functions: on AWS the domain name of an API answers https alone, so code builds `https://{domainName}`.

The certificate is made at the start, for loopback alone, and trusted by the functions alone: through the variables that
Python's own HTTP clients read. What signs it is never written down and forgotten at once.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulator.guard import Guard

HOST = "127.0.0.1"
"""Where TLS is served, whatever else is: only functions are to reach it."""

_LIFETIME = timedelta(days=397)
_NAMES: tuple[x509.GeneralName, ...] = (
    x509.IPAddress(ip_address(HOST)),
    x509.IPAddress(ip_address("::1")),
    x509.DNSName("localhost"),
)
# botocore reads the first, requests the second, urllib, httpx and aiohttp (as OpenSSL by default) the third.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html
# https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
# https://docs.python.org/3/library/ssl.html#ssl.SSLContext.set_default_verify_paths
_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Tls:
    """A server's context, and the file of authorities that its clients need. `folder` holds all there is on disk."""

    context: ssl.SSLContext
    folder: Path

    @classmethod
    def make(cls, guard: Guard) -> Tls:
        """Make a certificate in a temporary folder, which `guard` removes in the end if nobody else does."""
        folder = Path(tempfile.mkdtemp(prefix="emulator-tls-"))
        guard.watch_folder(folder)
        authority, certificate, key = _certificates()
        pair = folder / "server.pem"
        pair.touch(mode=0o600)
        pair.write_bytes(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        pair.unlink()
        tls = cls(context, folder)
        tls.authority.write_bytes(authority)
        tls.bundle.write_bytes(b"\n".join((authority.strip(), *_known_authorities(os.environ))) + b"\n")
        return tls

    @property
    def authority(self) -> Path:
        """The authority that signed the certificate, alone (PEM)."""
        return self.folder / "authority.pem"

    @property
    def bundle(self) -> Path:
        """The authorities that this machine knows, and the one that signed the certificate (PEM)."""
        return self.folder / "authorities.pem"

    def variables(self, *, aws: bool = False) -> dict[str, str]:
        """The environment variables that make a process trust the certificate.

        botocore then trusts nothing else, unless it shall reach `aws` itself: all its endpoints are here, and it reads
        the file for every client that a handler makes, which costs 50 ms with every authority there is.
        """
        return {
            **dict.fromkeys(_VARIABLES, str(self.bundle)),
            "AWS_CA_BUNDLE": str(self.bundle if aws else self.authority),
        }

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _known_authorities(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """Mozilla's, and those that the developer's shell names (a company's proxy); each once, as each costs time."""
    named = (Path(environment[name]) for name in _VARIABLES if name in environment)
    files = (Path(certifi.where()), *(path for path in named if path.is_file()))
    return tuple(dict.fromkeys(pem for path in files for pem in _PEM.findall(path.read_bytes())))


def _certificates() -> tuple[bytes, bytes, bytes]:
    """An authority's certificate, one for loopback signed by it, and the key of the latter (PEM).

    With all that OpenSSL's strict checks ask for, which Python 3.13 turned on:
    https://docs.python.org/3/library/ssl.html#ssl.create_default_context, https://www.rfc-editor.org/rfc/rfc5280
    """
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    authority_name = _name("Emulator authority")
    usage = {
        "digital_signature": False, "content_commitment": False, "key_encipherment": False, "data_encipherment": False,
        "key_agreement": False, "key_cert_sign": False, "crl_sign": False, "encipher_only": False,
        "decipher_only": False,
    }  # fmt: skip
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    authority = (
        _begun(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), critical=True)
    )
    server = (
        _begun(_name("Emulator"), authority_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**usage, "digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(signer, critical=False)
    )
    return (
        authority.sign(authority_key, SHA256()).public_bytes(Encoding.PEM),
        server.sign(authority_key, SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _begun(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
