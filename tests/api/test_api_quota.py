from __future__ import annotations

from pathlib import Path

from postroom.runtime.clock import FakeClock
from postroom.store.database import Database
from support.api import ApiWorld

NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z


async def test_no_quota_is_minus_one(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(NOON))
    answer = await api.get("/api-quota")
    assert answer.status_code == 200
    assert answer.text == '{"quota":-1,"remaining":-1,"reset":"2026-01-02T00:00:00Z"}'
    assert answer.headers["x-apiquota-remaining"] == "-1"
    assert answer.headers["x-apiquota-reset"] == "2026-01-02T00:00:00Z"


async def test_requests_count_refused_ones_too_and_asking_does_not(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(NOON), api={"requests_per_day": 5})
    assert (await api.get("/api-quota")).json()["remaining"] == 5
    assert (await api.get("/me")).headers["x-apiquota-remaining"] == "4"
    assert (await api.post("/notes", json={})).headers["x-apiquota-remaining"] == "3"
    answer = await api.get("/api-quota")
    assert answer.json() == {"quota": 5, "remaining": 3, "reset": "2026-01-02T00:00:00Z"}
    assert answer.headers["x-apiquota-remaining"] == "3"


async def test_a_quota_that_is_used_up_is_429_until_midnight(
    sqlite_database: Database, tmp_path: Path
) -> None:
    clock = FakeClock(NOON)
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock, api={"requests_per_day": 2})
    other = await api.tenant()
    for _ in range(2):
        assert (await api.get("/me")).status_code == 200
    refused = await api.get("/me")
    assert refused.status_code == 429
    assert refused.json() == {
        "message": "Your account reached its daily quota of 2 API requests. It resets at 00:00 UTC. #MS42901"
    }
    assert refused.headers["retry-after"] == "43200"
    assert refused.headers["x-apiquota-remaining"] == "0"
    assert (await api.get("/api-quota")).json()["remaining"] == 0
    assert (await other.get("/me")).status_code == 200  # the quota is the account's
    clock.jump(12 * 3600)
    assert (await api.get("/me")).headers["x-apiquota-remaining"] == "1"
