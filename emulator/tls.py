"""TLS for the functions: on AWS the domain name of an API answers https alone, so code builds `https://{domainName}`.

The certificate is made at the start, for loopback alone, and trusted by the functions alone: through the variables that
Python's own HTTP clients read. What signs it is never written down and forgotten at once.
"""

import os
import re
import shutil
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

from emulator.processes import Reaper

HOST = "127.0.0.1"
"""Where TLS is served, whatever else is: only functions are to reach it."""

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
    def make(cls, reaper: Reaper) -> "Tls":
        """Make a certificate in a temporary folder, which `reaper` removes in the end if nobody else does."""
        folder = reaper.temporary_folder("emulator-tls-")
        signer = trustme.CA(organization_name="Emulator")
        authority = signer.cert_pem.bytes()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = folder / "server.pem"
        signer.issue_cert(HOST, "::1", "localhost").private_key_and_cert_chain_pem.write_to_path(pair)
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
