"""Endpoints that FastAPI describes and does not run are found, refused and answered like all others."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from postroom.web.api.direct import direct
from support.api import ApiWorld


def test_what_cannot_be_called_directly_is_told_at_once() -> None:
    async def update(body: object) -> None: ...

    with pytest.raises(TypeError, match="request, caller, body"):
        direct(update)


async def test_other_methods_and_paths_are_fastapi_s_business(api: ApiWorld) -> None:
    answer = await api.get("/email")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for path in ("/email//", "//email", "/v1/email"):
        assert (await api.post(path, json={})).status_code == 404, path


async def test_the_way_in_is_that_of_all(api: ApiWorld) -> None:
    assert (await api.anonymous.post("/email", json={})).status_code == 401
    assert (await api.post("/email/", json={})).status_code == 422  # one slash at the end changes nothing
    assert (
        await api.post("/email", content=b"{", headers={"content-type": "application/json"})
    ).status_code == 422
    assert (
        await api.post("/email", content=b"{}", headers={"content-type": "text/plain"})
    ).status_code == 415


async def test_h15_a_bug_is_a_500_with_the_request_id(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(api.api.accept, "send", broken)
    with capture_logs() as logged:
        sender = {"email": f"a@{api.first.domain.name}"}
        mail = {"from": sender, "to": [{"email": "b@x.test"}], "subject": "S", "text": "T"}
        answer = await api.post("/email", json=mail, headers={"x-request-id": "mine-1"})
    assert [line["event"] for line in logged] == ["a request failed", "request"]
    assert (logged[1]["route"], logged[1]["status"]) == ("/email", 500)
    assert answer.status_code == 500
    assert "mine-1" in answer.json()["message"]
    assert "secret" not in answer.text
