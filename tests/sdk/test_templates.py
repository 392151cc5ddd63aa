"""A stored template fills in what the request leaves out: words, their translation, sender and tags."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postroom.store.database import Database
from postroom.tenancy import templates
from postroom.types.actor import SYSTEM
from postroom.types.template import TemplateContent
from postroom.types.template import Wording as Source
from support.sdk import Client, Contact, Mail, judge
from support.sdk.cases import Wording
from support.sdk.node import NodeSdk
from support.sdk.scene import DOMAIN, Scene

SHOP = Contact("orders@shop.example.com", "Orders")
CONTENT = TemplateContent(
    Source("Order {{ number }}", "Dear {{ name }}, it is on its way.", "<p>Dear {{ name }}</p>"),
    from_email=SHOP.email,
    from_name=SHOP.name,
    tags=("order",),
    translations={"de": Source("Bestellung {{ number }}", "Hallo {{ name }}, es ist unterwegs.")},
)


@pytest.fixture(scope="module")
def template_id(scene: Scene) -> str:
    async def create(database: Database) -> str:
        return (
            await templates.create(
                database, scene.account.tenant.account_id, CONTENT, name="Order", by=SYSTEM
            )
        ).id

    return scene.world.run(create)


def personal(template_id: str, domain: str) -> Mail:
    anna, ben = Contact(f"anna@{domain}", "Anna"), Contact(f"ben@{domain}", "Ben")
    data = {anna.email: {"name": "Anna", "number": 1}, ben.email: {"name": "Ben", "number": 2}}
    return Mail((anna, ben), sender=None, template_id=template_id, data=data)


@pytest.mark.parametrize("client", ["python_sdk", "anymail", "node_sdk"])
def test_a_template_says_it_all(
    client: str, template_id: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    sender: Client = request.getfixturevalue(client)
    domain = f"{client}-template.example.net".replace("_", "-")
    mail = personal(template_id, domain)
    with scene.net.peer(domain) as peer:
        message_id = sender.send(mail)
        arrived = judge.letters(peer, mail)
    wording = {
        f"anna@{domain}": Wording("Order 1", "Dear Anna, it is on its way.", "<p>Dear Anna</p>"),
        f"ben@{domain}": Wording("Order 2", "Dear Ben, it is on its way.", "<p>Dear Ben</p>"),
    }
    judge.check(replace(mail, sender=SHOP), arrived, wording, scene.world.dkim_records(DOMAIN))
    assert scene.world.story(message_id).message.tags == "order"


@pytest.mark.parametrize("client", ["python_sdk", "node_sdk"])
def test_a_template_in_another_language(
    client: str, template_id: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    sender: Client = request.getfixturevalue(client)
    domain = f"{client}-translated.example.net".replace("_", "-")
    mail = replace(personal(template_id, domain), language="de")
    with scene.net.peer(domain) as peer:
        sender.send(mail)
        arrived = judge.letters(peer, mail)
    wording = {
        f"anna@{domain}": Wording("Bestellung 1", "Hallo Anna, es ist unterwegs.", "<p>Dear Anna</p>"),
        f"ben@{domain}": Wording("Bestellung 2", "Hallo Ben, es ist unterwegs.", "<p>Dear Ben</p>"),
    }
    judge.check(replace(mail, sender=SHOP), arrived, wording, scene.world.dkim_records(DOMAIN))


def test_the_request_has_the_last_word(template_id: str, scene: Scene, node_sdk: NodeSdk) -> None:
    domain = "overridden.example.net"
    mail = replace(
        personal(template_id, domain), sender=Contact("me@shop.example.com", "Me"), subject="Mine, {{ name }}"
    )
    with scene.net.peer(domain) as peer:
        node_sdk.send(mail)
        arrived = judge.letters(peer, mail)
    wording = {
        f"anna@{domain}": Wording("Mine, Anna", "Dear Anna, it is on its way.", "<p>Dear Anna</p>"),
        f"ben@{domain}": Wording("Mine, Ben", "Dear Ben, it is on its way.", "<p>Dear Ben</p>"),
    }
    judge.check(mail, arrived, wording, scene.world.dkim_records(DOMAIN))
