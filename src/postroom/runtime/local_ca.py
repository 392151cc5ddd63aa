"""A certificate authority of this installation's own, and the server certificate of the first run.

Clients that are given `ca.crt` can verify the relay before anybody has bought or fetched a certificate. The authority
lives for ten years; the server certificate for 825 days (the most some platforms take) and is issued anew when it is
about to end or lacks a name, so clients keep their `ca.crt`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from postroom.config.names import certificate_name
from postroom.runtime.clock import Clock
from postroom.runtime.files import write_file

AUTHORITY_LIFETIME = timedelta(days=3653)
CERTIFICATE_LIFETIME = timedelta(days=825)
RENEW_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)  # for clients whose clock is behind
_PUBLIC_FILE = 0o644

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "postroom", "host.docker.internal")


def ensure_certificate(directory: Path, names: Iterable[str], clock: Clock) -> None:
    """Make `ca.crt`, `server.crt` (the chain) and `server.key` in `directory`, as far as they are missing or old.

    `names` are DNS names and IP addresses besides the local ones and the machine's own. The caller holds the lock of the
    data directory.
    """
    now = clock.now()
    wanted = _general_names((*LOCAL_NAMES, *_machine(), *names))
    authority, signer = _authority(directory, now)
    if _serves(directory, authority, wanted, now):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _issue_server(authority, signer, key, wanted, now)
    write_file(directory / "server.key", _key_pem(key))
    chain = certificate.public_bytes(_PEM) + authority.public_bytes(_PEM)
    write_file(directory / "server.crt", chain, mode=_PUBLIC_FILE)


_PEM = serialization.Encoding.PEM


def _authority(directory: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The authority in `directory`; a new one if there is none, or it is about to end."""
    certificate_file, key_file = directory / "ca.crt", directory / "ca.key"
    if certificate_file.exists() and key_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        fits = certificate.public_key() == key.public_key()
        if isinstance(key, ec.EllipticCurvePrivateKey) and fits and _lasts(certificate, now):
            return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _issue_authority(key, now)
    write_file(key_file, _key_pem(key))
    write_file(certificate_file, certificate.public_bytes(_PEM), mode=_PUBLIC_FILE)
    return certificate, key


def _issue_authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # The key is part of the name: clients with several of our authorities find the right one.
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:8]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Postroom local CA {mark}")])
    builder = _builder(name, name, key, now, AUTHORITY_LIFETIME)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def _issue_server(
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
    now: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "postroom")])
    builder = _builder(subject, authority.subject, key, now, CERTIFICATE_LIFETIME)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(issued_by, critical=False).sign(signer, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    begin = now - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _serves(
    directory: Path, authority: x509.Certificate, wanted: list[x509.GeneralName], now: datetime
) -> bool:
    """Is there a server certificate of this authority, with its key, with every name, that lasts a while?"""
    try:
        certificate = x509.load_pem_x509_certificate((directory / "server.crt").read_bytes())
        key = serialization.load_pem_private_key((directory / "server.key").read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.issuer == authority.subject
        and certificate.public_key() == key.public_key()
        and set(wanted) <= set(names)
        and _lasts(certificate, now)
    )


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    return now + RENEW_BEFORE < certificate.not_valid_after_utc


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    return list(dict.fromkeys(_general_name(name) for name in names))


def _general_name(name: str) -> x509.GeneralName:
    name = certificate_name(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _machine() -> list[str]:
    """What the machine is called may be no name for a certificate."""
    try:
        return [certificate_name(socket.gethostname())]
    except ValueError:
        return []
