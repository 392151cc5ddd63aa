"""The doctor's look at the certificate that clients are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from postroom.cli import running
from postroom.config import Config
from postroom.runtime import tls
from postroom.runtime.clock import Clock
from postroom.types.check import FAIL, OK, WARN, Check

NAME = "TLS certificate"
SOON = timedelta(days=14)


def check(config: Config, clock: Clock) -> Check:
    """The files fit each other, the certificate is valid for a while, and it names the relay host."""
    file, key = tls.certificate_files(config)
    own = config.tls.certificate is None
    if own and not file.exists():
        return Check(
            NAME, WARN, "there is none yet", "`postroom serve` makes one; or set tls.certificate and tls.key."
        )
    try:
        tls.server_context(file, key)
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        return Check(
            NAME, FAIL, f"{file} and {key} cannot be used: {error}", "Set tls.certificate and tls.key."
        )
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    return (
        _validity(certificate, now)
        or _names(certificate, running.server_name(config))
        or _fine(certificate, own=own)
    )


def _validity(certificate: x509.Certificate, now: datetime) -> Check | None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    fix = "Renew the certificate; it is reloaded when its files change."
    if not begin <= now < end:
        return Check(NAME, FAIL, f"is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d} only", fix)
    if end - now < SOON:
        return Check(NAME, WARN, f"ends on {end:%Y-%m-%d}", fix)
    return None


def _names(certificate: x509.Certificate, host: str) -> Check | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Check(NAME, FAIL, "names no host", "Get a certificate with a subject alternative name.")
    listed = [
        str(name) for kind in (x509.DNSName, x509.IPAddress) for name in names.get_values_for_type(kind)
    ]
    wildcard = "*." + host.partition(".")[2]
    if host not in listed and wildcard not in listed:
        fix = f"Get one that names {host}, set server.smtp_host to a name it has, or add to tls.names."
        return Check(NAME, WARN, f"names {', '.join(listed)}, not the relay host {host}", fix)
    return None


def _fine(certificate: x509.Certificate, *, own: bool) -> Check:
    until = f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    if own:
        return Check(NAME, OK, f"{until}; our own authority's, clients need its ca.crt")
    return Check(NAME, OK, until)
