"""Domains by the libraries' own methods, all of them, from adding one to deleting it."""

from __future__ import annotations

from typing import Any

import pytest
from mailersend import DomainsBuilder
from mailersend.exceptions import BadRequestError, ResourceNotFoundError
from mailersend.models.domains import DomainSettings

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import DOMAIN, Scene


def published(scene: Scene, records: dict[str, Any]) -> None:
    """What proves the domain."""
    record = records["dkim"]
    value = record["value"]
    quoted = " ".join(f'"{value[at : at + 200]}"' for at in range(0, len(value), 200))
    scene.net.publish(record["hostname"], TXT=[quoted])


def test_python_does_it_all(scene: Scene, python_sdk: PythonSdk) -> None:
    domains = python_sdk.client.domains
    new = DomainsBuilder().domain_name("python.example.com").return_path_subdomain("bounce")
    answer = domains.create_domain(new.build_create_request())
    created = answer["data"]
    assert (answer.status_code, created["name"], created["is_verified"]) == (201, "python.example.com", False)
    DomainSettings(**created["domain_settings"])
    one = DomainsBuilder().domain_id(created["id"])
    records = domains.get_domain_dns_records(one.build_dns_records_request())["data"]
    assert records["dkim"]["hostname"] == "pr1._domainkey.python.example.com"
    unproved = domains.get_domain_verification_status(one.build_verification_request())
    assert unproved["data"]["dkim"] is False
    published(scene, records)
    proved = domains.get_domain_verification_status(one.build_verification_request())
    assert (proved["message"], proved["data"]["dkim"]) == ("The domain is verified.", True)
    for only, there in ((True, True), (False, False)):
        listed = domains.list_domains(DomainsBuilder().verified(only).limit(100).build_list_request())
        assert (created["id"] in {row["id"] for row in listed["data"]}) is there
    change = DomainsBuilder().domain_id(created["id"]).track_clicks(True).send_paused(True)
    changed = domains.update_domain_settings(
        change.custom_tracking_subdomain_setting("go").build_update_settings_request()
    )["data"]
    settings = DomainSettings(**changed["domain_settings"])
    assert (settings.track_clicks, settings.send_paused, settings.custom_tracking_subdomain) == (
        True,
        True,
        "go",
    )
    shown = domains.get_domain(one.build_get_request())["data"]
    assert shown["totals"] == {"sent": 0, "delivered": 0, "hard_bounced": 0, "soft_bounced": 0}
    rows = domains.get_domain_recipients(
        DomainsBuilder().domain_id(created["id"]).limit(10).build_recipients_request()
    )
    assert rows["data"] == []
    assert domains.delete_domain(one.build_delete_request()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        domains.get_domain(one.build_get_request())


def test_a_name_that_is_taken_is_an_error_of_the_library(python_sdk: PythonSdk) -> None:
    request = DomainsBuilder().domain_name(DOMAIN).build_create_request()
    with pytest.raises(BadRequestError, match="The name has already been taken"):
        python_sdk.client.domains.create_domain(request)


def test_the_asynchronous_client(scene: Scene, async_python_sdk: AsyncPythonSdk) -> None:
    async def names(client: Any) -> set[str]:
        answer = await client.domains.list_domains()
        return {row["name"] for row in answer["data"]}

    assert DOMAIN in async_python_sdk.run(names)


def test_node_does_it_all(scene: Scene, node_sdk: NodeSdk) -> None:
    def call(method: str, *given: Any) -> Any:
        return node_sdk.call(f"email.domain.{method}", *given)

    created = call("create", {"name": "node.example.com"})
    domain_id = created["body"]["data"]["id"]
    assert created["statusCode"] == 201
    published(scene, call("dns", domain_id)["body"]["data"])
    assert call("verify", domain_id)["body"]["data"]["dkim"] is True
    listed = call("list", {"page": 1, "limit": 100, "verified": True})["body"]["data"]
    assert domain_id in {row["id"] for row in listed}
    changed = call("updateSettings", domain_id, {"track_opens": True, "precedence_bulk": True})["body"][
        "data"
    ]
    assert changed["domain_settings"]["track_opens"] is True
    assert call("single", domain_id)["body"]["data"]["name"] == "node.example.com"
    assert call("recipients", domain_id, {"page": 1, "limit": 10})["body"]["data"] == []
    assert call("delete", domain_id)["statusCode"] == 204
    with pytest.raises(NodeError) as caught:
        call("single", domain_id)
    assert caught.value.status == 404
