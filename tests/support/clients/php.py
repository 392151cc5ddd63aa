"""PHPMailer and Symfony Mailer, each in a PHP script beside this file: settings in as JSON, what it showed out."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from support.clients import ClientResult, Mail, Target
from support.tools import need

LIBRARIES = {
    "phpmailer": "/usr/share/php/libphp-phpmailer/autoload.php",
    "symfony": "/usr/share/php/Symfony/Component/Mailer/autoload.php",
}
TIMEOUT = 60


def phpmailer_send(target: Target, mail: Mail) -> ClientResult:
    return _send("phpmailer", target, mail)


def symfony_send(target: Target, mail: Mail) -> ClientResult:
    return _send("symfony", target, mail)


def _send(library: str, target: Target, mail: Mail) -> ClientResult:
    script = Path(__file__).with_name(f"{library}.php")
    settings = {"library": need(LIBRARIES[library]), "target": asdict(target), "mail": asdict(mail)}
    done = subprocess.run(
        [need("php"), "-d", "error_reporting=E_ALL&~E_DEPRECATED", script],
        input=json.dumps(settings, default=str),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    try:
        return ClientResult(**json.loads(done.stdout))
    except ValueError:
        raise AssertionError(f"{script.name}: {done.stdout}{done.stderr}") from None
