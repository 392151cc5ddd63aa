"""SMTP users by the libraries' own methods, and that what they are given logs in."""

from __future__ import annotations

import ssl
from smtplib import SMTP, SMTPAuthenticationError
from typing import Any

import pytest
from mailersend.builders.smtp_users import SmtpUsersBuilder
from mailersend.exceptions import ResourceNotFoundError

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import Scene
from support.waiting import until


def log_in(scene: Scene, user: dict[str, Any]) -> None:
    """Raises SMTPAuthenticationError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with SMTP("127.0.0.1", scene.relay.port(), timeout=10) as client:
        client.starttls(context=context)
        client.login(user["username"], user["password"])


def is_switched_off(scene: Scene, user: dict[str, Any]) -> bool:
    try:
        log_in(scene, user)
    except SMTPAuthenticationError as error:
        return b"switched off" in error.smtp_error
    return False


def one(scene: Scene, user_id: str = "") -> SmtpUsersBuilder:
    return SmtpUsersBuilder().domain_id(scene.account.domain_id).smtp_user_id(user_id)


def test_python_does_it_all(scene: Scene, python_sdk: PythonSdk) -> None:
    users = python_sdk.client.smtp_users
    answer = users.create_smtp_user(one(scene).name("By Python").enabled(True).build_smtp_user_create())
    created = answer["data"]
    assert (answer.status_code, created["name"], created["enabled"]) == (201, "By Python", True)
    assert created["domain_id"] == scene.account.domain_id
    log_in(scene, created)
    listed = users.list_smtp_users(one(scene).limit(100).build_smtp_users_list())["data"]
    assert created["id"] in {row["id"] for row in listed}
    shown = users.get_smtp_user(one(scene, created["id"]).build_smtp_user_get())["data"]
    assert shown == created | {"password": None, "accessed_at": shown["accessed_at"]}
    change = one(scene, created["id"]).name("New").enabled(False).build_smtp_user_update()
    changed = users.update_smtp_user(change)["data"]
    assert (changed["name"], changed["enabled"]) == ("New", False)
    until(lambda: is_switched_off(scene, created), what="it counts within a second")
    gone = one(scene, created["id"])
    assert users.delete_smtp_user(gone.build_smtp_user_delete()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        users.get_smtp_user(gone.build_smtp_user_get())


def test_the_asynchronous_client(scene: Scene, async_python_sdk: AsyncPythonSdk) -> None:
    request = one(scene).name("By Python").build_smtp_user_create()

    async def create(client: Any) -> str:
        return str((await client.smtp_users.create_smtp_user(request))["data"]["id"])

    gone = one(scene, async_python_sdk.run(create)).build_smtp_user_delete()
    answer = async_python_sdk.run(lambda client: client.smtp_users.delete_smtp_user(gone))
    assert answer.status_code == 204


def test_node_does_it_all(scene: Scene, node_sdk: NodeSdk) -> None:
    domain = scene.account.domain_id
    answer = node_sdk.call("email.smtpUser.create", domain, {"name": "By Node", "enabled": True})
    created = answer["body"]["data"]
    assert (answer["statusCode"], created["name"]) == (201, "By Node")
    log_in(scene, created)
    listed = node_sdk.call("email.smtpUser.list", domain, {"limit": 100, "page": 1})["body"]
    assert created["id"] in {row["id"] for row in listed["data"]}
    assert node_sdk.call("email.smtpUser.single", domain, created["id"])["body"]["data"]["name"] == "By Node"
    changed = node_sdk.call("email.smtpUser.update", domain, created["id"], {"name": "New", "enabled": False})
    assert (changed["body"]["data"]["name"], changed["body"]["data"]["enabled"]) == ("New", False)
    assert node_sdk.call("email.smtpUser.delete", domain, created["id"])["statusCode"] == 204
    with pytest.raises(NodeError) as gone:
        node_sdk.call("email.smtpUser.single", domain, created["id"])
    assert gone.value.status == 404
