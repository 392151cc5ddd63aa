"""One relay and one process of Node for all tests here: starting them is most of the time they take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.sdk import node
from support.sdk.anymail_backend import Anymail
from support.sdk.node import Node, Nodemailer, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import Scene, running, trusting

pytest.register_assert_rewrite("support.sdk.judge")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running(tmp_path_factory.mktemp("sdk") / "data") as scene:
        yield scene


@pytest.fixture(scope="module", autouse=True)
def trust(scene: Scene) -> Iterator[None]:
    """Only as long as the tests here run: others want certificates to be refused."""
    with trusting(scene):
        yield


@pytest.fixture(scope="session")
def node_process(scene: Scene) -> Iterator[Node]:
    with node.running(scene) as process:
        yield process


@pytest.fixture
def python_sdk(scene: Scene) -> PythonSdk:
    return PythonSdk(scene.url, scene.account.token)


@pytest.fixture
def async_python_sdk(scene: Scene) -> AsyncPythonSdk:
    return AsyncPythonSdk(scene.url, scene.account.token)


@pytest.fixture
def anymail(scene: Scene) -> Anymail:
    return Anymail(scene.url, scene.account.token, batch_send_mode="expose-to-list")


@pytest.fixture
def node_sdk(scene: Scene, node_process: Node) -> NodeSdk:
    return NodeSdk(node_process, scene.url, scene.account.token)


@pytest.fixture
def nodemailer(scene: Scene, node_process: Node) -> Nodemailer:
    return Nodemailer(node_process, scene.relay.port(), *scene.account.tenant.login)
