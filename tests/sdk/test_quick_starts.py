"""The snippets in docs/api.md, run as they are printed: each of them sends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

from support.peer import Peer
from support.sdk.node import PACKAGES, Node
from support.sdk.scene import Account, Scene, add_account
from support.sdk.snippets import snippets
from support.tools import need
from support.waiting import until


@pytest.fixture(scope="module")
def account(scene: Scene) -> Account:
    return add_account(scene.world, "example.com")


@pytest.fixture(scope="module")
def peer(scene: Scene) -> Iterator[Peer]:
    """The server of example.net."""
    with scene.net.peer("example.net") as peer:
        yield peer


def run(
    scene: Scene, account: Account, command: Sequence[str], code: str, directory: Path, **extra: str
) -> str:
    """What a program prints that reads `code` from its standard input."""
    own = {"POSTROOM_API": scene.url, "POSTROOM_TOKEN": account.token} | scene.trust | extra
    done = subprocess.run(
        command,
        input=code,
        env=os.environ | own,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def arrived(peer: Peer, subject: str) -> None:
    """The message is there, once."""

    def look() -> list[bytes]:
        return [found for found in peer.messages if message_from_bytes(found)["Subject"] == subject]

    assert len(until(look, what=f"{subject} has arrived")) == 1
    assert "It works." in look()[0].decode()


def test_curl(scene: Scene, account: Account, peer: Peer, tmp_path: Path) -> None:
    """Twice, for its key makes one message of the two."""
    need("curl")
    [code] = snippets("curl")
    answers = [run(scene, account, ["sh"], code, tmp_path) for _ in range(2)]
    ids = [line for answer in answers for line in answer.splitlines() if line.startswith("x-message-id: ")]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    arrived(peer, "Hello from curl")


def test_python(scene: Scene, account: Account, peer: Peer, tmp_path: Path) -> None:
    [code] = snippets("Python")
    message_id = run(scene, account, [sys.executable, "-"], code, tmp_path).strip()
    scene.world.settled(message_id)
    arrived(peer, "Hello from Python")


def test_node(scene: Scene, account: Account, peer: Peer, node_process: Node) -> None:
    [code] = snippets("Node")
    message_id = run(scene, account, [need("node"), "--input-type=module", "-"], code, PACKAGES).strip()
    scene.world.settled(message_id)
    arrived(peer, "Hello from Node")


def test_django(scene: Scene, account: Account, peer: Peer, tmp_path: Path) -> None:
    settings, code = snippets("django-anymail")
    (tmp_path / "settings.py").write_text(settings)
    code = f"import django\ndjango.setup()\n{code}"
    run(
        scene,
        account,
        [sys.executable, "-"],
        code,
        tmp_path,
        DJANGO_SETTINGS_MODULE="settings",
        PYTHONPATH=".",
    )
    arrived(peer, "Hello from Django")
