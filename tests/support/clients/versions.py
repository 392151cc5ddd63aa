"""Which version of a client runs here: another one may use other words."""

from __future__ import annotations

import platform
import shutil
import ssl
import subprocess

import aiosmtplib

_PACKAGES = {
    "swaks": "swaks",
    "msmtp": "msmtp",
    "phpmailer": "libphp-phpmailer",
    "symfony": "php-symfony-mailer",
    "postfix": "postfix",
}


def version_of(client: str) -> str:
    """Major and minor, with those of what the client takes words from."""
    openssl = ".".join(map(str, ssl.OPENSSL_VERSION_INFO[:2]))
    python = f"Python {_short(platform.python_version())}, OpenSSL {openssl}"
    if client == "smtplib":
        return python
    if client == "aiosmtplib":
        return f"{_short(aiosmtplib.__version__)} ({python})"
    if shutil.which("dpkg-query") is None:
        return "unknown"
    command = ["dpkg-query", "--show", "--showformat=${Version}", _PACKAGES[client]]
    package = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    system = platform.freedesktop_os_release()
    return f"{_short(package)} ({system['NAME'].split()[0]} {system.get('VERSION_ID', '')})"


def _short(version: str) -> str:
    return ".".join(version.partition("-")[0].partition("+")[0].split(".")[:2])
