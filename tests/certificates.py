"""
Certificates made for one test run: authorities, servers under them, and TLS contexts to serve with.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """
    A root that signs servers' certificates.
    """

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str) -> Authority:
        """
        Return a new root called *name*.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, key, valid_for=timedelta(days=2))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return cls(name, key, builder.sign(key, SHA256()))

    @property
    def pem(self) -> str:
        """
        The certificate as it stands in a bundle.
        """
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def labelled(self, label: str) -> str:
        """
        Return the certificate as certifi's and botocore's bundles print it, under *label*.
        """
        return f'\n# Issuer: CN={self.name}\n# Subject: CN={self.name}\n# Label: "{label}"\n# Serial: 1\n{self.pem}'

    def server_context(self, folder: Path, *hosts: str, expired: bool = False) -> ssl.SSLContext:
        """
        Return a context to serve *hosts* with, under a certificate of this root.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(folder, *hosts, expired=expired))
        return context

    def server_file(self, folder: Path, *hosts: str, expired: bool = False) -> Path:
        """
        Return a new file with a certificate of this root for *hosts*, and its key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        # Python looks for it since 3.13.
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = _builder(hosts[0], self.name, key, valid_for=timedelta(hours=-1 if expired else 1))
        certificate = builder.add_extension(names, critical=False).add_extension(issuer, critical=False).sign(self.key, SHA256())
        pem = folder / f"{hosts[0]}-{certificate.serial_number}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return pem


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, valid_for: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + valid_for)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
