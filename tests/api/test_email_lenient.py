"""What a send request may leave out or write in its own way (mailersend-api, section 1.2)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.web.api.sending.headers import uris
from postroom.web.api.sending.request import EmailRequest
from support.api import ApiWorld
from support.email_api import body, message, raw

ZERO = {
    "cc": None,
    "bcc": None,
    "reply_to": {"name": "", "email": ""},
    "html": "",
    "template_id": "",
    "tags": None,
    "personalization": None,
    "variables": None,
    "attachments": None,
    "headers": None,
    "list_unsubscribe": "",
    "in_reply_to": "",
    "references": None,
    "settings": {"track_clicks": False, "track_opens": False, "track_content": False},
    "send_at": 0,
    "precedence_bulk": None,
    "rcptTo": None,
    "metadata": [],
    "an_unknown_field": {"deep": [1]},
}


async def test_what_go_sends_for_fields_that_are_not_used(api: ApiWorld) -> None:
    answer = await api.post("/email", json={**body(api), **ZERO})
    assert (answer.status_code, answer.content) == (202, b"")
    assert b"Reply-To" not in await raw(api, answer)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(sorted(set(ZERO) - {"settings", "send_at", "an_unknown_field"})),
        st.sampled_from([None, "", []]),
    )
)
async def test_absent_null_empty_and_empty_list_are_the_same(api: ApiWorld, blanks: dict[str, Any]) -> None:
    texts = {"html", "template_id", "list_unsubscribe", "in_reply_to"}
    blanks = {name: None if name in texts and value == [] else value for name, value in blanks.items()}
    if blanks.get("precedence_bulk") == []:
        del blanks["precedence_bulk"]
    answer = await api.post("/email", json={**body(api), **blanks})
    assert answer.status_code == 202, answer.text


async def test_php_writes_an_empty_list_for_an_object(api: ApiWorld) -> None:
    empty: dict[str, Any] = {"settings": [], "metadata": [], "reply_to": [], "headers": []}
    assert (await api.post("/email", json=body(api, **empty))).status_code == 202


async def test_h06_a_byte_order_mark_is_skipped(api: ApiWorld) -> None:
    answer = await api.post("/email", content=b"\xef\xbb\xbf{}", headers={"content-type": "application/json"})
    assert answer.json()["errors"].keys() == {"from.email", "to", "subject", "text"}


async def test_space_around_names_does_not_matter(api: ApiWorld) -> None:
    people = [{"email": " bob@x.test ", "name": " Bob "}]
    file = {"content": b64encode(b"a").decode(), "filename": " a.txt "}
    answer = await api.post("/email", json=body(api, to=people, attachments=[file]))
    assert answer.status_code == 202, answer.text
    sent = await message(api, answer)
    assert sent["To"] == "Bob <bob@x.test>"
    assert [part.get_filename() for part in sent.iter_attachments()] == ["a.txt"]


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ([" a ", "b"], ["a", "b"]),
        (["a", "", None, " ", "a", "b"], ["a", "b"]),
        (["a", " a", "a "], ["a"]),
        ([*"abcde", *"abcde"], [*"abcde"]),
        ([""], []),
    ],
)
def test_tags_are_trimmed_and_count_once(tags: list[Any], kept: list[str]) -> None:
    assert EmailRequest.model_validate({"tags": tags}).tags == kept


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        (" , ", ()),
        ("https://x.test/u", ("https://x.test/u",)),
        ("<https://x.test/u>,<mailto:u@x.test>", ("https://x.test/u", "mailto:u@x.test")),
        ("https://x.test/u , MAILTO:u@x.test,", ("https://x.test/u", "MAILTO:u@x.test")),
        ("<https://x.test/u?a=1,2>", ("https://x.test/u?a=1,2",)),
        ("<https://x.test/u?a=1,2>, mailto:a@x.test", ("https://x.test/u?a=1,2", "mailto:a@x.test")),
        ("<https://x.test/?to=a,https://y.test/>", ("https://x.test/?to=a,https://y.test/",)),
        ("https://x.test/u?a=1,2", ("https://x.test/u?a=1,2",)),
        ("mailto:a@x.test,b@x.test, https://x.test/1,2", ("mailto:a@x.test,b@x.test", "https://x.test/1,2")),
        ("https://x.test/u, other", ("https://x.test/u, other",)),  # refused later, for its space
    ],
)
def test_commas_within_and_between_uris(text: str, found: tuple[str, ...]) -> None:
    assert uris(text) == found


async def test_a_comma_in_a_uri_reaches_the_header(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api, list_unsubscribe="<https://y.test/u?a=1,2>"))
    assert answer.status_code == 202, answer.text
    assert (await message(api, answer))["List-Unsubscribe"] == "<https://y.test/u?a=1,2>"
