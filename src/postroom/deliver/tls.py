"""TLS towards other people's servers: the two contexts, and what is said about a connection afterwards.

Opportunistic TLS keeps listeners out, not impostors: any certificate will do, for the alternative is clear text
(RFC 7435). Then the verdict only tells what a look at the server's own certificate shows. A route that requires
TLS gets a context that verifies chain and name, and there the verdict is "verified".
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from postroom.runtime.clock import Clock
from postroom.wire.smtp.client import TlsPolicy


@dataclass(frozen=True, slots=True)
class TlsContexts:
    opportunistic: ssl.SSLContext
    verifying: ssl.SSLContext

    def context_for(self, policy: TlsPolicy) -> ssl.SSLContext:
        return self.verifying if policy == "required" else self.opportunistic


def tls_contexts(authorities: Path | None = None) -> TlsContexts:
    """`authorities` is a PEM file of certificates to trust besides the system's. TLS 1.2 or newer in both."""
    verifying = ssl.create_default_context()
    if authorities is not None:
        verifying.load_verify_locations(authorities)
    opportunistic = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    opportunistic.check_hostname = False
    opportunistic.verify_mode = ssl.CERT_NONE
    opportunistic.set_ciphers("DEFAULT:@SECLEVEL=1")  # a short key is better than none
    for context in (verifying, opportunistic):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return TlsContexts(opportunistic, verifying)


def describe(tls: ssl.SSLObject, host: str, now: datetime | None = None) -> str:
    """Like "TLSv1.3 TLS_AES_256_GCM_SHA384 (not verified: expired)"."""
    cipher = tls.cipher()
    verdict = "verified" if tls.context.verify_mode is ssl.CERT_REQUIRED else _verdict(tls, host, now)
    return f"{tls.version()} {cipher[0] if cipher else 'unknown cipher'} ({verdict})"


def _verdict(tls: ssl.SSLObject, host: str, now: datetime | None) -> str:
    der = tls.getpeercert(binary_form=True)
    if der is None:
        return "not verified: no certificate"
    try:
        fault = certificate_fault(x509.load_der_x509_certificate(der), host, now or Clock().now())
    except ValueError:
        fault = "malformed certificate"
    return f"not verified: {fault}" if fault else "not verified"


def certificate_fault(certificate: x509.Certificate, host: str, now: datetime) -> str:
    """What the certificate alone shows to be wrong; "" if nothing. Its chain is not looked at."""
    if now > certificate.not_valid_after_utc:
        return "expired"
    if now < certificate.not_valid_before_utc:
        return "not valid yet"
    if not _names(certificate, host):
        return "other name"
    return "self-signed" if certificate.issuer == certificate.subject else ""


def _names(certificate: x509.Certificate, host: str) -> bool:
    """Whether the certificate is made out to `host` (RFC 6125: alternative names, a wildcard is one label)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        wildcard = f"*.{host.partition('.')[2]}"
        return any(name.lower() in (host, wildcard) for name in names.get_values_for_type(x509.DNSName))
