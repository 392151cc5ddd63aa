"""Every class of the official libraries: either each of its methods is called by a test, or it is named as missing."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import httpx
import pytest
from mailersend import MailerSendClient
from mailersend.resources.base import BaseResource

from support.sdk import coverage
from support.sdk.node import Node, NodeError, NodeSdk
from support.sdk.scene import Scene

PAGE = Path(__file__).parents[2] / "docs" / "api-differences.md"
SECTION = "### The classes of the official SDKs"

MISSING_IN_PYTHON = {
    "email_verification": "/email-verification",
    "dmarc_monitoring": "/dmarc-monitoring",
    "sms_activity": "/sms-activity",
    "sms_inbounds": "/sms-inbounds",
    "sms_messages": "/sms-messages",
    "sms_numbers": "/sms-numbers",
    "sms_recipients": "/sms-recipients",
    "sms_sending": "/sms",
    "sms_webhooks": "/sms-webhooks",
    "whatsapp": "/whatsapp",
    "whatsapp_activities": "/whatsapp-activities",
    "whatsapp_inbound_messages": "/whatsapp-inbound-messages",
    "whatsapp_items": "/whatsapp-items",
    "whatsapp_messages": "/whatsapp-messages",
    "whatsapp_recipients": "/whatsapp-recipients",
    "whatsapp_templates": "/whatsapp-templates",
}
"""What has no endpoints yet, and where they would be."""
MISSING_IN_NODE = ("emailVerification", "sms", "dmarc", "blocklistMonitor", "whatsapp")
"""With everything below them."""


def documented(library: str) -> tuple[set[str], set[str]]:
    """(those that work, those that are missing) as the page says."""
    section = PAGE.read_text("utf-8").partition(SECTION)[2].partition("\n#")[0]
    [row] = [line for line in section.splitlines() if line.startswith(f"| {library} ")]
    works, missing = [set(re.findall(r"`([\w.]+)`", cell)) for cell in row.split("|")[2:4]]
    return works, missing


def methods_in_python() -> dict[str, list[str]]:
    """By the name of the attribute of the client."""
    resources = {
        name: resource
        for name, resource in vars(MailerSendClient("mlsn.none")).items()
        if isinstance(resource, BaseResource)
    }
    return {
        name: [method for method in vars(type(resource)) if not method.startswith("_") and method.islower()]
        for name, resource in resources.items()
    }


@pytest.fixture(scope="module")
def methods_in_node(node_process: Node) -> dict[str, list[str]]:
    """By the path of the module, like `email.webhook`."""
    modules: dict[str, list[str]] = node_process.ask(
        "modules", {"url": "https://localhost/v1", "token": "none"}
    )
    return modules


def test_python(scene: Scene) -> None:
    found = methods_in_python()
    assert documented("Python") == (set(found) - set(MISSING_IN_PYTHON), set(MISSING_IN_PYTHON))
    uncalled = [
        f"{resource}.{method}"
        for resource, methods in found.items()
        for method in methods
        if resource not in MISSING_IN_PYTHON and not coverage.python_calls(resource, method)
    ]
    assert uncalled == []


def test_node(methods_in_node: dict[str, list[str]]) -> None:
    missing = {path for path in methods_in_node if path.partition(".")[0] in MISSING_IN_NODE}
    assert documented("Node") == (set(methods_in_node) - missing, set(MISSING_IN_NODE))
    uncalled = [
        f"{module}.{method}"
        for module, methods in methods_in_node.items()
        for method in methods
        if module not in missing and not coverage.node_calls(f"{module}.{method}")
    ]
    assert uncalled == []


@pytest.mark.parametrize("path", sorted(MISSING_IN_PYTHON.values()))
def test_what_is_missing_is_not_found(scene: Scene, path: str) -> None:
    """And no stub answers for it."""
    answer = httpx.get(
        f"{scene.url}{path}",
        headers={"authorization": f"Bearer {scene.account.token}"},
        verify=ssl.create_default_context(cafile=scene.trust["SSL_CERT_FILE"]),
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["emailVerification.list", "sms.send", "sms.number.list", "dmarc.list"])
def test_node_hears_so(node_sdk: NodeSdk, path: str) -> None:
    with pytest.raises(NodeError) as thrown:
        node_sdk.call(path, {})
    assert thrown.value.status == 404


def test_the_tests_are_read_as_they_are_meant() -> None:
    assert coverage.python_calls("webhooks", "get_webhook")
    assert coverage.python_calls("recipients", "add_hard_bounces")
    assert not coverage.python_calls("webhooks", "get_something")
    assert coverage.node_calls("email.send")
    assert coverage.node_calls("email.analytics.byCountry")
    assert not coverage.node_calls("email.analytics.by.country")
