"""Limits per minute (H05) and the daily quota in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import request_days
from postroom.store.database import Database
from postroom.tenancy.quotas import day_number
from postroom.web.api import rates
from postroom.web.api.quota import RequestQuota
from postroom.web.api.rates import Windows
from support.api import ApiWorld, Client

ACCOUNT = "a" * 16


async def limited(database: Database, directory: Path, clock: FakeClock, **per_minute: int) -> ApiWorld:
    settings: dict[str, Any] = {f"{area}_per_minute": number for area, number in per_minute.items()}
    return await ApiWorld.start(database, directory, clock=clock, api=settings)


async def test_h05_beyond_the_limit_is_429_until_the_minute_is_over(
    sqlite_database: Database, tmp_path: Path
) -> None:
    clock = FakeClock()
    api = await limited(sqlite_database, tmp_path, clock, other=2)
    for remaining in ("1", "0"):
        answer = await api.get("/me")
        assert answer.headers["x-ratelimit-limit"] == "2"
        assert answer.headers["x-ratelimit-remaining"] == remaining
        clock.advance(10)
    refused = await api.get("/me")
    assert refused.status_code == 429
    assert refused.json() == {
        "message": "Your account reached its rate limit of 2 requests/min. Please wait before trying again. #MS42903"
    }
    assert refused.headers["retry-after"] == "40"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) == clock.now_ms() // 1000 + 40
    clock.advance(40)
    assert (await api.get("/me")).status_code == 200


async def test_h05_areas_and_accounts_have_limits_of_their_own_tokens_do_not(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await limited(sqlite_database, tmp_path, FakeClock(), other=1, activity=1, email=1)
    other = await api.tenant()
    token = await api.first.with_token()
    assert (await api.get("/me")).status_code == 200
    assert (await token.get("/me")).status_code == 429
    assert (await api.get("/notes")).status_code == 200  # activity
    assert (await api.get("/notes")).status_code == 429
    assert (await api.post("/notes", json={})).status_code == 422  # email; wrong, and counted
    assert (await api.post("/notes", json={})).status_code == 429
    assert (await other.get("/me")).status_code == 200


async def test_h05_headers_about_the_client_and_a_clock_that_is_set_change_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    clock = FakeClock()
    api = await limited(sqlite_database, tmp_path, clock, other=1)
    assert (await api.get("/me")).status_code == 200
    clock.jump(3600)
    for header in ("x-forwarded-for", "x-real-ip", "forwarded", "client-ip", "true-client-ip"):
        assert (await api.get("/me", headers={header: "198.51.100.1"})).status_code == 429


async def test_what_is_refused_by_the_limit_per_minute_leaves_the_daily_quota_alone(
    sqlite_database: Database, tmp_path: Path
) -> None:
    settings = {"other_per_minute": 2, "requests_per_day": 5}
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(), api=settings)
    answers = [await api.get("/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert [answer.headers["x-apiquota-remaining"] for answer in answers] == ["4", "3", "3", "3"]


async def test_without_a_limit_there_are_no_headers(api: ApiWorld) -> None:
    answer = await api.get("/me")
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_who_is_refused_without_a_token_uses_up_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await limited(sqlite_database, tmp_path, FakeClock(), other=1)
    for _ in range(3):
        assert (await api.anonymous.get("/me")).status_code == 401
        assert (await Client(api.http, "mlsn." + "0" * 64).get("/me")).status_code == 401
    assert (await api.get("/me")).status_code == 200


def test_windows_begin_with_their_first_request_and_are_forgotten() -> None:
    windows = Windows()
    assert [windows.take("a", 2, at).allowed for at in (0.0, 59.9, 59.9, 60.0, 60.1, 60.2)] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert windows.take("b", 1, 30.0).seconds == 60
    assert windows.take("b", 1, 89.5).seconds == 1
    assert windows.full("b", 1, 60.0) == 30
    assert windows.full("b", 1, 90.0) == windows.full("b", 2, 60.0) == windows.full("c", 1, 0.0) == 0


def test_windows_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 100)
    windows = Windows()
    for key in range(1000):
        windows.take(key, 1, 0.0)
    assert len(windows._windows) <= 100


# -- the daily quota ------------------------------------------------------------------------------------------


async def test_counts_of_all_nodes_add_up_and_survive_a_restart(database: Database) -> None:
    clock = FakeClock()
    one, two = RequestQuota(database, clock), RequestQuota(database, clock)
    assert one.count(ACCOUNT) is None  # not known yet, and counted all the same
    assert await one.load(ACCOUNT) == 1
    assert one.count(ACCOUNT, 4) == 5
    assert two.used(ACCOUNT) is None
    two.count(ACCOUNT, 10)
    await one.flush()
    await two.flush()
    assert two.used(ACCOUNT) == 15
    assert one.used(ACCOUNT) == 5  # as far as it knows
    one.count(ACCOUNT)
    await one.flush()
    assert one.used(ACCOUNT) == 16
    await one.flush()
    assert await RequestQuota(database, clock).load(ACCOUNT) == 16


async def test_a_new_day_begins_at_nothing_and_what_was_late_belongs_to_its_day(database: Database) -> None:
    clock = FakeClock()
    quota = RequestQuota(database, clock)
    await quota.load(ACCOUNT)
    quota.count(ACCOUNT, 3)
    clock.jump(24 * 3600)
    assert quota.used(ACCOUNT) is None
    assert await quota.load(ACCOUNT) == 0
    assert quota.count(ACCOUNT) == 1
    await quota.flush()
    today = day_number(clock.now_ms())
    async with database.read() as connection:
        assert await request_days.used(connection, ACCOUNT, today - 1) == 3
        assert await request_days.used(connection, ACCOUNT, today) == 1


async def test_what_cannot_be_written_now_is_written_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = RequestQuota(database, FakeClock())
    quota.count(ACCOUNT, 7)
    with monkeypatch.context() as patch:
        patch.setattr(request_days, "add", None)
        with pytest.raises(TypeError):
            await quota.flush()
    await quota.flush()
    assert await RequestQuota(database, FakeClock()).load(ACCOUNT) == 7
