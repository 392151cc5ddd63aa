"""Which version of a client runs here: another one may use other words."""

from __future__ import annotations

import platform
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
    """Major and minor; "" when it is not known."""
    if client == "smtplib":
        return _short(platform.python_version())
    if client == "aiosmtplib":
        return _short(aiosmtplib.__version__)
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", _PACKAGES[client]], capture_output=True, text=True, check=False
    )
    return _short(asked.stdout)


def _short(version: str) -> str:
    return ".".join(version.partition("-")[0].partition("+")[0].split(".")[:2])
