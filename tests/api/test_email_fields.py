"""Wrong fields of a send request: all at once, each at its path, in the contract's words."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.runtime.clock import FakeClock
from postroom.store.database import Database
from postroom.tenancy import templates
from postroom.types.actor import SYSTEM
from postroom.types.template import TemplateContent, Wording
from support.api import ApiWorld
from support.email_api import body, count, kept
from support.parts import PNG

NOW = 1_767_225_600
"""2026-01-01T00:00:00Z, where a fake clock begins."""
CONTENT = b64encode(b"%PDF-1.4 a").decode()
PROGRAM = b64encode(b"MZ\0" + bytes(100)).decode()


def file(**changes: Any) -> dict[str, Any]:
    return {"attachments": [{"content": CONTENT, "filename": "a.pdf", **changes}]}


def picture(content_id: str) -> dict[str, Any]:
    content = b64encode(PNG).decode()
    return {"content": content, "filename": "a.png", "disposition": "inline", "id": content_id}


def people(number: int) -> list[dict[str, str]]:
    return [{"email": f"r{n}@x.test"} for n in range(number)]


def personal(**data: Any) -> dict[str, Any]:
    return {"personalization": [{"email": "bob@x.test", "data": data}]}


REQUIRED = "The {} field is required. #MS42209"
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("no from", {"from": None}, "from.email", REQUIRED.format("from.email")),
    ("from is text", {"from": "a@b.test"}, "from.email", REQUIRED.format("from.email")),
    (
        "no address",
        {"from": {"email": "a"}},
        "from.email",
        "The from.email must be a valid email address. #MS42208",
    ),
    (
        "foreign domain",
        {"from": {"email": "a@else.test"}},
        "from.email",
        "The from.email domain must be verified in your account to send emails. #MS42207",
    ),
    ("no to", {"to": None}, "to", REQUIRED.format("to")),
    ("empty to", {"to": []}, "to", REQUIRED.format("to")),
    ("zero struct in to", {"to": [{"name": "", "email": ""}]}, "to.0.email", REQUIRED.format("to.0.email")),
    ("text in to", {"to": ["bob@x.test"]}, "to.0", "The to.0 must be an object."),
    ("nothing in to", {"to": [None]}, "to.0.email", REQUIRED.format("to.0.email")),
    ("blank address", {"to": [{"email": " "}]}, "to.0.email", REQUIRED.format("to.0.email")),
    ("to is an object", {"to": {"email": "bob@x.test"}}, "to", "The to must be an array."),
    ("number in to", {"to": [{"email": 3}]}, "to.0.email", "The to.0.email must be a string. #MS42221"),
    (
        "to too long",
        {"to": people(51)},
        "to",
        "The to recipients limit of 50 was exceeded. #MS42205",
    ),
    ("cc too long", {"cc": people(11)}, "cc", "The cc recipients limit of 10 was exceeded. #MS42205"),
    ("bcc too long", {"bcc": people(11)}, "bcc", "The bcc recipients limit of 10 was exceeded. #MS42205"),
    (
        "twice",
        {"to": [{"email": "b@x.test"}, {"email": "b@X.test"}]},
        "to.1.email",
        "b@x.test is duplicated in the to recipients list. #MS42201",
    ),
    (
        "comma in a name",
        {"to": [{"email": "b@x.test", "name": "B, C"}]},
        "to.0.name",
        "The to.0.name must not contain semicolons or commas.",
    ),
    ("reply_to is true", {"reply_to": True}, "reply_to", "The reply to must be an array."),
    ("text in reply_to", {"reply_to": ["a@x.test"]}, "reply_to.0", "The reply to.0 must be an object."),
    (
        "rcpt_to too long",
        {"rcptTo": people(51)},
        "rcpt_to",
        "The rcpt to recipients limit of 50 was exceeded. #MS42205",
    ),
    (
        "reply_to without address",
        {"reply_to": {"name": "A"}},
        "reply_to.email",
        "The reply to.email field is required. #MS42209",
    ),
    (
        "several reply_to, one wrong",
        {"reply_to": [{"email": "a@x.test"}, {"email": "a"}]},
        "reply_to.1.email",
        "The reply to.1.email must be a valid email address. #MS42208",
    ),
    ("blank subject", {"subject": " "}, "subject", REQUIRED.format("subject")),
    ("no subject", {"subject": None}, "subject", REQUIRED.format("subject")),
    (
        "long subject",
        {"subject": "a" * 999},
        "subject",
        "The subject must not be greater than 998 characters.",
    ),
    (
        "control in subject",
        {"subject": "a\nBcc: x@y.test"},
        "subject",
        "The subject holds a control character.",
    ),
    (
        "nothing to say",
        {"text": None},
        "text",
        "You must provide one of the following: html, text or template_id. #MS42211",
    ),
    (
        "nothing but space to say",
        {"text": " \n", "html": "\t"},
        "text",
        "You must provide one of the following: html, text or template_id. #MS42211",
    ),
    ("html is a number", {"html": 1}, "html", "The html must be a string. #MS42221"),
    ("unknown template", {"template_id": "x"}, "template_id", "The selected template id is invalid."),
    ("six tags", {"tags": list("abcdef")}, "tags", "The tags must not have more than 5 items."),
    ("long tag", {"tags": ["a" * 192]}, "tags.0", "The tags.0 must not be greater than 191 characters."),
    ("two lines in a tag", {"tags": ["a\nb"]}, "tags.0", "The tags.0 must not contain control characters."),
    ("text for a file", {"attachments": ["x"]}, "attachments.0", "The attachments.0 must be an object."),
    (
        "one picture twice",
        {"attachments": [picture("logo"), picture(""), picture("other"), picture("<logo>")]},
        "attachments.3.id",
        "The attachments.3.id is already that of attachments.0.",
    ),
    (
        "not base64",
        file(content="%%%"),
        "attachments.0.content",
        "The attachments.0.content must be Base64 encoded. #MS42215",
    ),
    ("no content", file(content=""), "attachments.0.content", REQUIRED.format("attachments.0.content")),
    (
        "content is a number",
        file(content=1),
        "attachments.0.content",
        "The attachments.0.content must be a string. #MS42221",
    ),
    ("no name", file(filename=""), "attachments.0.filename", REQUIRED.format("attachments.0.filename")),
    (
        "type not taken",
        file(filename="a.exe"),
        "attachments.0.filename",
        "The attachments.0.filename file type is not supported. #MS42210",
    ),
    (
        "a lie",
        file(content=PROGRAM),
        "attachments.0.filename",
        "The attachments.0.filename and its content do not match: the content is a program. #MS42202",
    ),
    (
        "disposition",
        file(disposition="x"),
        "attachments.0.disposition",
        "The selected attachments.0.disposition is invalid.",
    ),
    (
        "not a recipient",
        {"personalization": [{"email": "z@x.test", "data": {"a": 1}}]},
        "personalization.0.email",
        "The personalization.0.email is not one of the recipients. #MS42217",
    ),
    (
        "dots in keys",
        personal(**{"a.b": 1, "c": {"d.e": 2}}),
        "personalization.0.data",
        "The personalization.0.data contains array keys with dot notation: a.b, d.e",
    ),
    (
        "no template",
        {**personal(a=1), "text": "{{ a "},
        "text",
        "#MS42213",
    ),
    ("no template in subject", {**personal(a=1), "subject": "{% if %}"}, "subject", "#MS42213"),
    (
        "variables of somebody else",
        {"variables": [{"email": "z@x.test", "substitutions": [{"var": "a", "value": "b"}]}]},
        "variables.0.email",
        "The variables.0.email is not one of the recipients. #MS42217",
    ),
    (
        "header name",
        {"headers": [{"name": "X Y", "value": "a"}]},
        "headers.0.name",
        "The headers.0.name may only contain alphanumeric characters and hyphens. #MS42220",
    ),
    (
        "header value",
        {"headers": [{"name": "X-A", "value": "a\u2028b"}]},
        "headers.0.value",
        "The headers.0.value holds a control character.",
    ),
    ("in_reply_to", {"in_reply_to": "a b"}, "in_reply_to", "The in reply to is not a Message-ID."),
    ("references", {"references": ["x"]}, "references.0", "The references.0 is not a Message-ID."),
    (
        "list_unsubscribe",
        {"list_unsubscribe": "javascript:x"},
        "list_unsubscribe",
        "The list unsubscribe must hold http, https or mailto URIs of at most 990 characters together.",
    ),
    ("settings are true", {"settings": True}, "settings", "The settings must be an object."),
    (
        "settings",
        {"settings": {"track_clicks": "maybe"}},
        "settings.track_clicks",
        "The settings.track clicks field must be true or false.",
    ),
    ("stream", {"stream": "x"}, "stream", "The selected stream is invalid."),
    (
        "metadata is a list",
        {"metadata": ["a"]},
        "metadata",
        "The metadata must be an array.",
    ),
    (
        "too much metadata",
        {"metadata": {str(n): "a" for n in range(21)}},
        "metadata",
        "The metadata must not have more than 20 items.",
    ),
    (
        "metadata of numbers",
        {"metadata": {"a": 1}},
        "metadata.a",
        "The metadata.a must be a string. #MS42221",
    ),
]


@pytest.mark.parametrize(
    ("changes", "path", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_a_wrong_field(api: ApiWorld, changes: dict[str, Any], path: str, text: str) -> None:
    answer = await api.post("/email", json=body(api, **changes))
    assert answer.status_code == 422, answer.text
    (found,) = answer.json()["errors"].items()
    assert found[0] == path
    assert len(found[1]) == 1
    assert found[1][0] == text if len(text) > 10 else found[1][0].endswith(text)
    assert answer.json()["message"] == found[1][0]
    assert await count(api) == 0


async def test_all_wrong_fields_at_once_in_the_order_of_the_reference(api: ApiWorld) -> None:
    answer = await api.post(
        "/email",
        json={
            "metadata": {"a": 1},
            "send_at": "soon",
            "attachments": [{"content": "%", "filename": "a.pdf"}],
            "cc": [{"email": "x"}],
            "html": [],
            "from": {"email": "a@else.test"},
        },
    )
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [
        "from.email",
        "to",
        "cc.0.email",
        "subject",
        "html",
        "attachments.0.content",
        "send_at",
        "metadata.a",
    ]
    assert answer.json()["message"].endswith(" (and 7 more errors)")


@pytest.mark.parametrize("value", [[], [1], "text", 3, None, {}])
async def test_a_body_that_is_no_object_has_no_fields(api: ApiWorld, value: Any) -> None:
    answer = await api.post("/email", json=value)
    assert answer.json()["errors"].keys() == {"from.email", "to", "subject", "text"}


@pytest.mark.parametrize(
    "name",
    [
        "return-path",
        "received",
        "dkim-signature",
        "bcc",
        "content-type",
        "resent-from",
        "arc-seal",
        "authentication-results",
        "feedback-id",
        "x-postroom-stream",
        "sender",
        "to",
        "message-id",
        "date",
        "mime-version",
    ],
)
async def test_h11_headers_of_the_server_cannot_be_set(api: ApiWorld, name: str) -> None:
    spellings = [name, name.upper(), f" {name.title()} "]
    headers = [{"name": spelling, "value": "x"} for spelling in spellings]
    answer = await api.post("/email", json=body(api, headers=headers))
    assert answer.json()["errors"] == {
        f"headers.{n}.name": [
            f"The headers.{n}.name names a header that the server sets: {spelling.strip()}."
        ]
        for n, spelling in enumerate(spellings)
    }


async def test_mailersend_domain_of_a_template_that_is_not_verified(api: ApiWorld) -> None:
    content = TemplateContent(Wording("a", "b"), from_email="a@else.test")
    stored = await templates.create(api.database, api.first.account.id, content, by=SYSTEM)
    answer = await api.post("/email", json={"to": people(1), "template_id": stored.id})
    assert answer.json()["errors"].keys() == {"template_id"}
    assert answer.json()["message"].endswith("#MS42226")


async def test_all_files_together_may_have_25_mb(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.web.api.sending.attachments.LARGEST", 1000)
    half = {"content": b64encode(bytes(600)).decode(), "filename": "a.txt"}
    assert (await api.post("/email", json=body(api, attachments=[half]))).status_code == 202
    answer = await api.post("/email", json=body(api, attachments=[half, half]))
    assert answer.json()["errors"] == {
        "attachments.1.content": ["The attachments.1.content must not be greater than 25 MB. #MS42206"]
    }


# -- send_at ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def later(sqlite_database: Database, tmp_path: Path) -> ApiWorld:
    """With a clock that stands still at `NOW`."""
    return await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock())


@pytest.mark.parametrize(
    "value",
    [
        NOW + 3600,
        str(NOW + 3600),
        float(NOW + 3600),
        "2026-01-01T01:00:00Z",
        "2026-01-01 02:00:00+01:00",
        "2026-01-01T01:00:00",
    ],
)
async def test_when_to_send(later: ApiWorld, value: object) -> None:
    answer = await later.post("/email", json=body(later, send_at=value))
    assert answer.status_code == 202, answer.text
    found = await kept(later, answer)
    due = (NOW + 3600) * 1000
    row = found.queue["bob@x.test"]
    assert (row.due_at, row.owner, row.hold) == (due, 0, "scheduled")
    assert row.expires_at == due + round(later.config.delivery.lifetime * 1000)
    assert found.emails["bob@x.test"].status == "scheduled"
    assert found.details is not None
    assert found.details.send_at == due


@pytest.mark.parametrize("value", [0, "0", False, "", None, NOW])
async def test_at_once(later: ApiWorld, value: object) -> None:
    answer = await later.post("/email", json={**body(later), "send_at": value})
    assert (await kept(later, answer)).queue["bob@x.test"].hold == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("tomorrow", "The send_at must be a Unix timestamp or a date in ISO 8601. #MS42218"),
        (True, "The send_at must be a Unix timestamp or a date in ISO 8601. #MS42218"),
        ([NOW], "The send_at must be a Unix timestamp or a date in ISO 8601. #MS42218"),
        ("9" * 30, "The send_at must be a Unix timestamp or a date in ISO 8601. #MS42218"),
        (NOW - 1, "The send_at must be in the future. #MS42219"),
        (-5, "The send_at must be in the future. #MS42219"),
        (NOW + 259201, "The send_at must be a date before or equal to 2026-01-04 00:00:00."),
        (10**15, "The send_at must be a date before or equal to 2026-01-04 00:00:00."),
    ],
)
async def test_q22_when_not_to_send(later: ApiWorld, value: object, text: str) -> None:
    answer = await later.post("/email", json=body(later, send_at=value))
    assert answer.json() == {"message": text, "errors": {"send_at": [text]}}


# -- headers --------------------------------------------------------------------------------------------------------

CONTROL = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CONTROL), st.integers(0, 6), st.sampled_from(["", "Bcc: evil@y.test"]))
async def test_s12_s25_no_control_character_reaches_a_header(
    api: ApiWorld, char: str, place: int, behind: str
) -> None:
    bad = f"a{char}{behind}"
    sender = body(api)["from"]
    changes: dict[str, Any] = [
        {"subject": bad},
        {"from": {**sender, "name": bad}},
        {"to": [{"email": "bob@x.test", "name": bad}]},
        {"headers": [{"name": "X-A", "value": bad}]},
        {"headers": [{"name": f"X{char}A", "value": "a"}]},
        file(filename=f"a{char}.pdf"),
        {"to": [{"email": f"bob{char}@x.test"}]},
    ][place]
    answer = await api.post("/email", json=body(api, **changes))
    assert answer.status_code == 422
