"""The clients for Node, `mailersend` and nodemailer, in one process that does what it is told (tests/sdk/node/driver.mjs)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.sdk import Mail
from support.sdk.scene import Scene
from support.tools import unavailable

PACKAGES = Path(__file__).parents[2] / "sdk" / "node"
OLDEST = 20
QUEUED = "queued as "
BY_SMTP = frozenset({"rcpt_to", "data", "template_id", "language", "send_at", "bulk", "list_unsubscribe"})
"""What nodemailer cannot express."""


class NodeError(Exception):
    """What the library threw. `status`, `headers` and `body` are those of the API's answer."""

    def __init__(self, thrown: Any) -> None:
        super().__init__(json.dumps(thrown))
        self.thrown = thrown
        self.status: int = thrown.get("statusCode", 0)
        self.headers: dict[str, str] = thrown.get("headers", {})
        self.body: Any = thrown.get("body")


class Node:
    """The process. One call at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, action: str, *arguments: Any) -> Any:
        """What the action comes to. Raises NodeError with what it throws."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"action": action, "arguments": arguments}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"the process of Node has ended with {process.wait(5)}"
        said = json.loads(line)
        if "error" in said:
            raise NodeError(said["error"])
        return said["answer"]


class NodeSdk:
    def __init__(self, node: Node, url: str, token: str) -> None:
        self._node = node
        self._settings = {"url": url, "token": token}

    def send(self, mail: Mail) -> str:
        return str(self.answer(mail)["headers"]["x-message-id"])

    def answer(self, mail: Mail) -> Any:
        """`{statusCode, headers, body}` of sending."""
        return self._node.ask("send", self._settings, written(mail))

    def send_bulk(self, mails: list[Mail]) -> Any:
        return self._node.ask("sendBulk", self._settings, [written(mail) for mail in mails])

    def call(self, path: str, *arguments: Any) -> Any:
        """`{statusCode, headers, body}` of a method like `email.schedule.list`."""
        return self._node.ask("call", self._settings, path, *arguments)


class Nodemailer:
    """By SMTP, for comparison."""

    def __init__(self, node: Node, port: int, username: str, password: str) -> None:
        self._node = node
        self._settings = {"port": port, "username": username, "password": password}

    def send(self, mail: Mail) -> str:
        response: str = self._node.ask("sendBySmtp", self._settings, written(mail))["response"]
        return response.partition(QUEUED)[2]


@contextmanager
def running(scene: Scene) -> Iterator[Node]:
    """Ends with the block. A machine without Node or its packages cannot run this test."""
    node = shutil.which("node")
    if node is None:
        unavailable(f"Node {OLDEST} or newer is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < OLDEST:
        unavailable(f"Node is {version.strip()}, and the packages want {OLDEST} or newer")
    if not (PACKAGES / "node_modules" / "mailersend").exists():
        unavailable("the packages for Node are not installed (scripts/node-packages.sh does it)")
    process = subprocess.Popen(
        [node, "driver.mjs"],
        cwd=PACKAGES,
        env=os.environ | scene.trust,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Node(process)
    finally:
        process.kill()
        process.communicate()


def written(mail: Mail) -> Mapping[str, Any]:
    """For the driver: only what there is."""
    fields: dict[str, Any] = {
        "from": mail.sender and mail.sender.json(),
        "to": [contact.json() for contact in mail.to],
        "cc": [contact.json() for contact in mail.cc],
        "bcc": [contact.json() for contact in mail.bcc],
        "rcptTo": [contact.json() for contact in mail.rcpt_to],
        "replyTo": mail.reply_to and mail.reply_to.json(),
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "files": [
            {"name": file.name, "content": b64encode(file.content).decode("ascii"), "cid": file.cid}
            for file in mail.files
        ],
        "headers": dict(mail.headers),
        "inReplyTo": mail.in_reply_to,
        "references": mail.references,
        "tags": mail.tags,
        "data": mail.data,
        "templateId": mail.template_id,
        "language": mail.language,
        "sendAt": mail.send_at,
        "bulk": mail.bulk,
        "listUnsubscribe": mail.list_unsubscribe,
    }
    return {name: value for name, value in fields.items() if value}
