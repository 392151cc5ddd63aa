"""Templates by the libraries' own methods; test_templates sends with them."""

from __future__ import annotations

import pytest
from mailersend import TemplatesBuilder

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene

HTML = "<p>Dear {{ name }}</p>"


def test_node_makes_templates_that_python_reads(
    scene: Scene, node_sdk: NodeSdk, python_sdk: PythonSdk
) -> None:
    wanted = {
        "name": "By Node",
        "html": HTML,
        "auto_generate": True,
        "domain_id": scene.account.domain_id,
        "tags": ["node"],
        "categories": [],
    }
    created = node_sdk.call("email.template.create", wanted)
    template = created["body"]["data"]
    assert (created["statusCode"], template["text"]) == (201, "Dear {{ name }}")
    changed = node_sdk.call("email.template.update", template["id"], {"name": "New", "html": "<p>New</p>"})
    assert (changed["body"]["data"]["name"], changed["body"]["data"]["version"]) == ("New", 2)
    assert node_sdk.call("email.template.single", template["id"])["body"]["data"]["name"] == "New"
    query = {"domain_id": scene.account.domain_id, "limit": 10, "page": 1}
    assert template["id"] in {
        row["id"] for row in node_sdk.call("email.template.list", query)["body"]["data"]
    }
    sdk = python_sdk.client.templates
    one = TemplatesBuilder().template_id(template["id"])
    assert sdk.get_template(one.build_template_get_request())["data"]["tags"] == ["node"]
    assert template["id"] in {
        row["id"]
        for row in sdk.list_templates(TemplatesBuilder().limit(100).build_templates_list_request())["data"]
    }
    assert sdk.delete_template(one.build_template_delete_request()).status_code == 200
    with pytest.raises(NodeError) as gone:
        node_sdk.call("email.template.delete", template["id"])
    assert gone.value.status == 404
