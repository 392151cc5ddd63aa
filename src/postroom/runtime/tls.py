"""TLS for our listeners: one strict server context that follows its certificate files."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from postroom.config import Config
from postroom.errors import ConfigError

log = structlog.get_logger()

# Forward secrecy and authenticated encryption only (RFC 9325 section 4.2); TLS 1.3 has its own suites.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL"


def authority_file(data: Path) -> Path:
    """The certificate of the first run's own authority, to be handed to clients."""
    return data / "tls" / "ca.crt"


def certificate_files(config: Config) -> tuple[Path, Path]:
    """(certificate chain, private key): the configured ones, else the first run's."""
    if config.tls.certificate is not None and config.tls.key is not None:
        return config.tls.certificate, config.tls.key
    return config.data / "tls" / "server.crt", config.data / "tls" / "server.key"


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, no compression, no renegotiation. Raises OSError (ssl.SSLError is one) or ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.num_tickets = (
        0  # two cost a tenth of a handshake, and hardly any mail client ever resumes a session
    )
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # An encrypted key must fail: without a password callback OpenSSL would ask on the terminal.
    context.load_cert_chain(certificate, key, password=lambda: "")
    return context


class Certificates:
    """The current server context. Ask for `context` at every handshake: sessions keep the one they began with."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises ConfigError that names the files when they cannot be used."""
        self._files = (certificate, key)
        self._seen = self._state()
        try:
            self._context = server_context(certificate, key)
        except (OSError, ValueError) as error:
            raise ConfigError(f"tls: {certificate} and {key} cannot be used: {_reason(error)}") from None

    @property
    def context(self) -> ssl.SSLContext:
        return self._context

    def listening_context(self) -> ssl.SSLContext:
        """For a server that takes one context for good: each handshake moves on to the current one."""
        context = server_context(*self._files)

        def move_on(handshake: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
            handshake.context = self._context

        context.sni_callback = move_on
        return context

    async def refresh(self) -> bool:
        """Load the files again if they changed; True if a new context is in use. To be called every few seconds.

        Files that are broken, or do not fit each other yet because a renewal is half done, leave the old context.
        """
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        certificate, key = self._files
        try:
            self._context = server_context(certificate, key)
        except (OSError, ValueError) as error:
            log.warning(
                "the new certificate cannot be used, the old one stays",
                certificate=str(certificate),
                key=str(key),
                reason=_reason(error),
            )
            return False
        log.info("new certificate in use", certificate=str(certificate))
        return True

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._files]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (
            f"{error.reason or error} (is the key the one of this certificate, in PEM, without a password?)"
        )
    return getattr(error, "strerror", None) or str(error)
