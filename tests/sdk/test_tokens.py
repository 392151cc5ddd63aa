"""Tokens by the libraries' own methods; what a library has made works in it."""

from __future__ import annotations

import pytest
from mailersend import MailerSendClient, TokensBuilder
from mailersend.exceptions import AuthenticationError, MailerSendError, ResourceNotFoundError

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import Scene
from support.waiting import until


def test_python_does_it_all(scene: Scene, python_sdk: PythonSdk) -> None:
    tokens, domain_id = python_sdk.client.tokens, scene.account.domain_id
    new = TokensBuilder().name("By Python").domain_id(domain_id).all_scopes()
    answer = tokens.create_token(new.build_token_create())
    created = answer["data"]
    assert (answer.status_code, created["name"], created["domain"]["id"]) == (200, "By Python", domain_id)
    made = MailerSendClient(created["accessToken"], f"{scene.url}/", max_retries=0)
    one = TokensBuilder().token_id(created["id"])
    row = made.tokens.get_token(one.build_token_get())["data"]
    assert (row["status"], set(row["scopes"])) == ("unpause", set(created["scopes"]))
    listed = tokens.list_tokens(TokensBuilder().limit(100).build_tokens_list())
    assert created["id"] in {row["id"] for row in listed["data"]}
    assert listed["meta"]["per_page"] == 100
    renamed = tokens.update_token_name(one.copy().name("New").build_token_update_name())
    assert renamed["data"]["name"] == "New"
    paused = tokens.update_token(one.copy().pause().build_token_update())
    assert paused["data"]["status"] == "pause"

    def refused() -> bool:
        """Within a second."""
        try:
            made.tokens.get_token(one.build_token_get())
        except AuthenticationError:
            return True
        return False

    until(refused, 5)
    assert tokens.update_token(one.copy().unpause().build_token_update())["data"]["status"] == "unpause"
    assert tokens.delete_token(one.build_token_delete()).status_code == 200
    with pytest.raises(ResourceNotFoundError):
        tokens.get_token(one.build_token_get())


def test_more_than_one_has_is_an_error_of_the_library(scene: Scene, python_sdk: PythonSdk) -> None:
    few = TokensBuilder().name("Few").domain_id(scene.account.domain_id).add_scope("tokens_full")
    created = python_sdk.client.tokens.create_token(few.build_token_create())["data"]
    made = MailerSendClient(created["accessToken"], f"{scene.url}/", max_retries=0)
    with pytest.raises(MailerSendError, match="the scope email_full"):
        made.tokens.create_token(few.copy().add_scope("email_full").build_token_create())


def test_the_asynchronous_client(scene: Scene, async_python_sdk: AsyncPythonSdk) -> None:
    new = TokensBuilder().name("Later").domain_id(scene.account.domain_id).add_scope("email_full")
    created = async_python_sdk.run(lambda client: client.tokens.create_token(new.build_token_create()))[
        "data"
    ]
    one = TokensBuilder().token_id(created["id"]).build_token_delete()
    assert async_python_sdk.run(lambda client: client.tokens.delete_token(one)).status_code == 200


def test_node_does_it_all(scene: Scene, node_sdk: NodeSdk) -> None:
    wanted = {"name": "By Node", "scopes": ["email_full", "whatsapp_full", "blocklist_monitoring_read"]}
    created = node_sdk.call("token.create", wanted | {"domain_id": scene.account.domain_id})["body"]["data"]
    assert {name: created[name] for name in wanted} == wanted
    assert created["accessToken"].startswith("mlsn.")
    whole = node_sdk.call("token.create", wanted)["body"]["data"]
    assert whole["domain"] is None
    listed = node_sdk.call("token.list", {"page": 1, "limit": 100})["body"]
    assert {created["id"], whole["id"]} <= {row["id"] for row in listed["data"]}
    both = node_sdk.call("token.update", created["id"], {"name": "New", "status": "pause"})["body"]["data"]
    assert (both["name"], both["status"]) == ("New", "pause")
    settings = node_sdk.call("token.updateSettings", created["id"], {"status": "unpause"})["body"]["data"]
    assert settings == node_sdk.call("token.single", created["id"])["body"]["data"]
    assert settings["status"] == "unpause"
    for token in (created, whole):
        assert node_sdk.call("token.delete", token["id"])["statusCode"] == 200
    with pytest.raises(NodeError) as gone:
        node_sdk.call("token.single", created["id"])
    assert gone.value.status == 404
