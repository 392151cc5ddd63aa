"""/v1/identities: asked, listed, changed, deleted, by id and by address; and what a message from one looks like."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.errors import PostroomError
from postroom.store import audit
from postroom.tenancy import domains, sender_identities
from postroom.tenancy.entries import DomainInfo
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.envelope import Address
from postroom.types.notices import IdentityConfirmation
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.web.preflight.records import alignment
from postroom.web.preflight.report import Verdict
from support import email_api
from support.api import ApiWorld, Client, Tenant
from support.identities import identity

BEN = "ben@client.example"


def body(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    made = {"domain_id": tenant.domain.id, "email": BEN, "name": "Ben"}
    return {name: value for name, value in (made | changes).items() if value is not None}


async def made(api: ApiWorld, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/identities", json=body(api.first, **changes))
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def letter(api: ApiWorld) -> IdentityConfirmation:
    """The newest."""
    notice = api.mail.notices[-1]
    assert isinstance(notice, IdentityConfirmation)
    return notice


async def agree(api: ApiWorld) -> None:
    """The owner follows the newest link, and presses the button."""
    secret = letter(api).link.rpartition("/")[2]
    await sender_identities.confirm(api.database, api.zones, secret, client="")
    await api.changed()


# -- asked --------------------------------------------------------------------------------------------------------


async def test_its_owner_is_asked(api: ApiWorld) -> None:
    created = await made(
        api, personal_note="As we said.", reply_to_email="office@client.example", reply_to_name="Office"
    )
    domain = api.first.domain
    assert created["domain"].keys() == {"id", "name", "created_at", "updated_at"}
    assert created["domain"]["name"] == domain.name
    assert {
        name: created[name] for name in created if name not in ("id", "domain", "created_at", "updated_at")
    } == {
        "email": BEN,
        "name": "Ben",
        "reply_to_email": "office@client.example",
        "reply_to_name": "Office",
        "is_verified": False,
        "resends": 0,
        "add_note": True,
        "personal_note": "As we said.",
        "verified_at": None,
        "problem": None,
    }
    notice = letter(api)
    assert (notice.to, notice.account, notice.note) == (BEN, api.first.account.name, "As we said.")
    assert notice.link.startswith("http://localhost:8025/confirm-sender/")
    assert notice.link.rpartition("/")[2] not in str(created)
    await agree(api)
    shown = (await api.get(f"/identities/{created['id']}")).json()["data"]
    assert shown["is_verified"] is True
    assert shown["verified_at"] is not None


async def test_little_is_enough_and_the_domain_may_be_written_in_any_way(api: ApiWorld) -> None:
    created = await made(api, email=" Ben@MÜNCHEN.example ", name=None, personal_note="Hi", add_note=False)
    assert created["email"] == "Ben@xn--mnchen-3ya.example"
    assert (created["name"], created["reply_to_email"], created["add_note"]) == ("", None, False)
    assert letter(api).note == ""


async def test_when_no_mail_can_be_made_it_is_kept_and_can_be_sent_again(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_notice: object) -> None:
        raise PostroomError("no")

    with monkeypatch.context() as patch:
        patch.setattr(api.mail, "send", fails)
        created = await made(api)
    again = await api.post(f"/identities/{created['id']}/resend")
    assert (again.status_code, again.json()["data"]["resends"]) == (200, 1)
    await agree(api)
    confirmed = await api.post(f"/identities/{created['id']}/resend")
    assert confirmed.json()["errors"] == {"email": [f"The owner of {BEN} has confirmed already."]}


REQUIRED = "The {} field is required. #MS42209"
WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"domain_id": None}, {"domain_id": REQUIRED.format("domain id")}),
    ({"domain_id": "no"}, {"domain_id": REQUIRED.format("domain id")}),
    ({"domain_id": "x" * 16}, {"domain_id": "The selected domain id is invalid."}),
    ({"email": None}, {"email": REQUIRED.format("email")}),
    ({"email": "ben"}, {"email": "The email must be a valid email address. #MS42208"}),
    ({"email": "taken@client.example"}, {"email": "The email has already been taken."}),
    ({"name": "a\r\nBcc: b"}, {"name": "The name must not contain control characters."}),
    ({"name": "x" * 192}, {"name": "The name must not be greater than 191 characters."}),
    ({"reply_to_name": "Office"}, {"reply_to_name": REQUIRED.format("reply to email")}),
    ({"reply_to_email": "x"}, {"reply_to_email": "The reply to email must be a valid email address. #MS42208"}),
    ({"personal_note": "x" * 251}, {"personal_note": "The personal note must not be greater than 250 characters."}),
    ({"personal_note": "a\x07"}, {"personal_note": "The personal note must not contain control characters."}),
]  # fmt: skip


async def test_what_is_wrong_is_told_and_nobody_is_asked(api: ApiWorld) -> None:
    await identity(api, api.first, "taken@client.example")
    for wrong, fields in WRONG:
        answer = await api.post("/identities", json=body(api.first, **wrong))
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"] == {name: [text] for name, text in fields.items()}
    both = await api.post(
        "/identities", json=body(api.first, domain_id="x" * 16, email="taken@client.example")
    )
    assert set(both.json()["errors"]) == {"domain_id", "email"}
    assert api.mail.notices == []


async def test_whose_addresses_cannot_be_used_is_told_with_the_reason(api: ApiWorld) -> None:
    other = await api.tenant()
    api.zones.zones["_dmarc.strict.example"] = {"TXT": ["v=DMARC1; p=reject"]}
    api.zones.zones["_dmarc.broken.example"] = "SERVFAIL"
    for domain, said in (
        ("gmail.com", "Nobody else can send for gmail.com"),
        (other.domain.name, f"Another account has verified {other.domain.name}."),
        ("a.strict.example", "_dmarc.strict.example publishes the DMARC policy p=reject"),
        ("broken.example", "The DNS does not say"),
    ):
        answer = await api.post("/identities", json=body(api.first, email=f"ben@{domain}"))
        assert answer.status_code == 422
        assert said in answer.json()["errors"]["email"][0]
    assert api.mail.notices == []


async def test_only_accounts_that_may_send_write_to_strangers(api: ApiWorld) -> None:
    new = await api.tenant(approved=False)
    answer = await new.post("/identities", json=body(new))
    assert answer.status_code == 403
    assert answer.json()["message"].endswith("#MS40303")
    kept = await identity(api, new)
    assert (await new.post(f"/identities/{kept.id}/resend")).status_code == 403
    unverified = await domains.add(
        api.database, api.box, "new.test", account_id=api.first.account.id, by=SYSTEM
    )
    answer = await api.post("/identities", json=body(api.first, domain_id=unverified.id))
    assert list(answer.json()["errors"]) == ["domain_id"]
    assert api.mail.notices == []


async def test_nobody_is_written_to_again_and_again(api: ApiWorld) -> None:
    created = await made(api)
    for _ in range(sender_identities.PER_ADDRESS - 1):
        assert (await api.post(f"/identities/{created['id']}/resend")).status_code == 200
    answer = await api.post(f"/identities/{created['id']}/resend")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "86400")
    assert len(api.mail.notices) == sender_identities.PER_ADDRESS


async def test_there_is_an_end_to_identities(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_identities, "MOST", 1)
    await made(api)
    answer = await api.post("/identities", json=body(api.first, email="anna@client.example"))
    assert answer.json()["errors"] == {"email": ["An account may have at most 1 sender identities."]}


# -- listed and changed -------------------------------------------------------------------------------------------


async def test_the_list(api: ApiWorld) -> None:
    await identity(api, await api.tenant())
    for name, verified in (("c", False), ("a", True), ("b", False)):
        await identity(api, api.first, f"{name}@client.example", verified=verified, name=name.upper())

    async def emails(query: str = "") -> list[str]:
        answer = await api.get(f"/identities?{query}")
        assert answer.status_code == 200, answer.text
        return [row["email"][0] for row in answer.json()["data"]]

    assert sorted(await emails()) == ["a", "b", "c"]
    assert await emails("order_by=email&order=desc") == ["c", "b", "a"]
    assert (await emails("order_by=verified_at"))[0] == "a"
    assert await emails("query=B@CLIENT") == ["b"]
    assert await emails(f"domain_id={api.first.domain.id}&query=a@") == ["a"]
    assert (await api.get("/identities?limit=10")).json()["meta"]["total"] == 3
    for wrong in ("order_by=name", "order=up", "limit=5", f"domain_id={'x' * 16}"):
        assert (await api.get(f"/identities?{wrong}")).status_code == 422, wrong


@pytest.mark.parametrize("way", ["id", "email"])
async def test_shown_changed_and_deleted(api: ApiWorld, way: str) -> None:
    kept = await identity(api, api.first, "Ben+1@client.example", name="Ben")
    path = f"/identities/{kept.id}" if way == "id" else "/identities/email/Ben+1@CLIENT.example"
    shown = (await api.get(path)).json()["data"]
    assert (shown["id"], shown["email"]) == (kept.id, "Ben+1@client.example")
    ignored = {"email": "x@y.example", "domain_id": "x", "add_note": True, "personal_note": "x"}
    same = await api.put(path, json=ignored)
    assert (same.status_code, same.json()["data"]) == (200, shown)
    lacking = await api.put(path, json={"reply_to_name": "Office"})
    assert lacking.json()["errors"] == {"reply_to_email": [REQUIRED.format("reply to email")]}
    new = {"name": "Benjamin", "reply_to_email": "o@client.example", "reply_to_name": "Office"}
    changed = (await api.put(path, json=new)).json()["data"]
    assert {name: changed[name] for name in new} == new
    assert (await api.put(path, json={"reply_to_name": "O."})).json()["data"]["reply_to_name"] == "O."
    gone = await api.delete(path, json=[])
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.get(path)).status_code == 404
    async with api.database.read() as connection:
        found = await audit.page(connection, api.first.account.id, action="sender_identity.", limit=9)
    assert [one.action for one in found][::-1] == [
        "sender_identity.updated", "sender_identity.updated", "sender_identity.deleted",
    ]  # fmt: skip
    assert {one.actor_id for one in found} == {api.first.token.id}


ALL = {"name": "Ben", "reply_to_email": "o@client.example", "reply_to_name": "Office"}
NO_ANSWERS = {"reply_to_email": None, "reply_to_name": None}


@pytest.mark.parametrize("blank", [None, ""])
async def test_null_takes_a_field_away(api: ApiWorld, blank: str | None) -> None:
    """So does "", for some libraries send no null. What is absent stays."""
    kept = await identity(api, api.first, BEN, verified=True)
    for taken, left in (
        (["name"], ALL | {"name": ""}),
        (["reply_to_name"], ALL | {"reply_to_name": None}),
        (["reply_to_email"], ALL | NO_ANSWERS),
        (["reply_to_email", "reply_to_name"], ALL | NO_ANSWERS),
        ([], ALL),
    ):
        await api.put(f"/identities/{kept.id}", json=ALL)
        answer = await api.put(f"/identities/{kept.id}", json=dict.fromkeys(taken, blank))
        assert answer.status_code == 200, answer.text
        assert {name: answer.json()["data"][name] for name in ALL} == left
        await api.changed()
        message = await email_api.message(api, await api.post("/email", json=mail(api)))
        assert message["From"] == (f"Ben <{BEN}>" if left["name"] else BEN)
        assert (message["Reply-To"] is None) is (left["reply_to_email"] is None)


async def test_a_name_needs_an_address_beside_it(api: ApiWorld) -> None:
    kept = await identity(api, api.first, BEN, **ALL)
    new = {"reply_to_email": None, "reply_to_name": "Office"}
    answer = await api.put(f"/identities/{kept.id}", json=new)
    assert answer.json()["errors"] == {"reply_to_email": [REQUIRED.format("reply to email")]}


@pytest.mark.parametrize("address", ["ben", "@", "ben@client.example.", "ben@@x", "a%2Fb@client.example"])
async def test_what_is_no_address_of_ours_is_not_found(api: ApiWorld, address: str) -> None:
    await identity(api, api.first, BEN)
    assert (await api.get(f"/identities/email/{address}")).status_code == 404


async def test_h01_the_identities_of_others_are_not_there(api: ApiWorld) -> None:
    other = await api.tenant()
    theirs = await identity(api, other, BEN)
    for path in (f"/identities/{theirs.id}", f"/identities/email/{BEN}"):
        assert (await api.get(path)).status_code == 404
        assert (await api.put(path, json={"name": "mine"})).status_code == 404
        assert (await api.delete(path)).status_code == 404
    assert (await api.post(f"/identities/{theirs.id}/resend")).status_code == 404
    assert (await api.post("/identities", json=body(other))).status_code == 422
    assert (await other.get(f"/identities/{theirs.id}")).status_code == 200


async def test_a_token_for_another_domain_sees_none_of_this_one(api: ApiWorld) -> None:
    kept = await identity(api, api.first)
    second = await domains.add(
        api.database, api.box, "second.test", account_id=api.first.account.id, mode="sandbox", by=SYSTEM
    )
    elsewhere = await api.first.with_token(Scope.SENDER_IDENTITY_FULL, Scope.EMAIL_FULL, domain=second.id)
    assert (await elsewhere.get("/identities")).json()["data"] == []
    assert (await elsewhere.get(f"/identities/{kept.id}")).status_code == 404
    assert (await elsewhere.delete(f"/identities/email/{kept.email}")).status_code == 404
    assert (await elsewhere.post("/identities", json=body(api.first))).status_code == 422


async def test_reading_does_not_allow_changing(api: ApiWorld) -> None:
    kept = await identity(api, api.first)
    reader = await api.first.with_token(Scope.SENDER_IDENTITY_READ)
    assert (await reader.get(f"/identities/{kept.id}")).status_code == 200
    assert (await reader.delete(f"/identities/{kept.id}")).status_code == 403
    chosen = frozenset({Permission.READ_SENDER_IDENTITIES})
    person = await api.person(grant=Grant(Role.CUSTOM_USER, chosen))
    assert (await person.get("/v1/identities")).status_code == 200
    assert (await person.post("/v1/identities", json=body(api.first))).status_code == 403


# -- what a message from one looks like ---------------------------------------------------------------------------


def mail(api: ApiWorld, **changes: Any) -> dict[str, Any]:
    return email_api.body(api, **({"from": {"email": BEN}} | changes))


async def test_it_sends_once_its_owner_has_agreed(api: ApiWorld) -> None:
    await made(api, reply_to_email="office@client.example", reply_to_name="Office")
    refused = await api.post("/email", json=mail(api))
    assert refused.json()["errors"]["from.email"][0].endswith("#MS42207")
    await agree(api)
    answer = await api.post("/email", json=mail(api))
    assert answer.status_code == 202, answer.text
    kept = (await email_api.kept(api, answer)).message
    assert (kept.signing_domain, kept.domain_id) == (api.first.domain.name, api.first.domain.id)
    message = await email_api.message(api, answer)
    assert (message["From"], message["Reply-To"]) == (f"Ben <{BEN}>", "Office <office@client.example>")
    near = await api.post("/email", json=mail(api, **{"from": {"email": "Ben@client.example"}}))
    assert near.status_code == 422


async def test_what_the_request_says_counts_more(api: ApiWorld) -> None:
    await identity(api, api.first, BEN, verified=True, name="Ben", reply_to_email="office@client.example")
    given = mail(api, reply_to={"email": "x@y.example"}, **{"from": {"email": BEN, "name": "Benny"}})
    message = await email_api.message(api, await api.post("/email", json=given))
    assert (message["From"], message["Reply-To"]) == (f"Benny <{BEN}>", "x@y.example")


async def test_s10_a_token_or_another_account_without_its_domain_does_not(api: ApiWorld) -> None:
    await identity(api, api.first, BEN, verified=True)
    second = await domains.add(
        api.database, api.box, "second.test", account_id=api.first.account.id, mode="sandbox", by=SYSTEM
    )
    elsewhere: list[Client] = [
        await api.first.with_token(Scope.EMAIL_FULL, domain=second.id),
        await api.tenant(),
    ]
    for client in elsewhere:
        assert (await client.post("/email", json=mail(api))).status_code == 422
    here = await api.first.with_token(Scope.EMAIL_FULL, domain=api.first.domain.id)
    assert (await here.post("/email", json=mail(api))).status_code == 202


async def test_a_domain_that_wants_strict_envelopes_takes_it_too(api: ApiWorld) -> None:
    await identity(api, api.first, BEN, verified=True)
    await domains.change(api.database, api.first.domain.id, strict_envelope=True, by=SYSTEM)
    await api.changed()
    assert (await api.post("/email", json=mail(api))).status_code == 202


async def test_preflight_tells_that_the_signature_is_not_aligned(api: ApiWorld) -> None:
    await identity(api, api.first, BEN, verified=True)
    report = (await api.post("/preflight", json=mail(api))).json()["data"]
    assert report["accepted"] is True
    domain = DomainInfo(
        "d" * 16, "shop.test", "live", strict_envelope=False, keep_content=False, return_path_host=""
    )
    found = alignment(Address("ben", "client.example"), domain)
    assert (found.verdict, "not aligned with client.example" in found.evidence) == (Verdict.WARN, True)
    assert "DKIM: shop.test signs" in alignment(Address("ben", "a.shop.test"), domain).evidence
