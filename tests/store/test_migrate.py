from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from postroom.errors import ConfigError
from postroom.store import migrate, revision, steps
from postroom.store.database import Database
from postroom.store.schema import metadata


async def test_the_steps_make_the_tables_of_the_schema(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        parents = set(metadata.tables)

        def ours(name: str | None, kind: str, _parents: object) -> bool:
            return kind != "table" or name in parents  # partitions are tables of their own

        options = {"include_name": ours, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_upgrade_runs_once_and_names_what_it_did(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'new.db'}")
    assert await revision.current(database) is None
    missing = steps.pending(None)
    assert missing == sorted(missing)
    assert missing[0] == "0001"
    assert missing[-1] == revision.NEWEST
    with pytest.raises(ConfigError, match=r"no tables yet.*postroom migrate"):
        await revision.check(database)
    assert await migrate.upgrade(database) == missing
    assert await migrate.upgrade(database) == []
    assert await revision.current(database) == revision.NEWEST
    await revision.check(database)
    await database.close()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for step in (migrate.upgrade, revision.check):
        with pytest.raises(ConfigError, match="newer"):
            await step(database)


async def test_a_step_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'new.db'}")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE refusals (x)"))  # the last table of the first step
    with pytest.raises(Exception, match="refusals"):
        await migrate.upgrade(database)
    async with database.read() as connection:
        tables = list(await connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
    assert tables == ["refusals"]
    await database.close()


async def test_storage_of_content_and_room_in_the_queue_on_postgresql(database: Database) -> None:
    if database.sqlite:
        pytest.skip("PostgreSQL only")
    async with database.read() as connection:
        external = "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'contents'::regclass AND attname = 'data'"
        assert await connection.scalar(text(external)) == "e"
        options = await connection.scalar(text("SELECT reloptions FROM pg_class WHERE relname = 'queue'"))
    assert "fillfactor=70" in options


async def test_0015_who_sent_a_bulk_email_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then `token_id` held the user's id when a person had sent it."""
    database = await Database.open(f"sqlite:///{tmp_path / 'old.db'}")
    upgrade_revs = ScriptDirectory._upgrade_revs
    with monkeypatch.context() as patch:
        patch.setattr(
            ScriptDirectory, "_upgrade_revs", lambda self, _, revision: upgrade_revs(self, "0014", revision)
        )
        await migrate.upgrade(database)
    columns = 'account_id, id, token_id, state, objects, "groups", recipients, templates, blob, busy_until'
    async with database.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO users (id, email, password_hash, created_at, updated_at) VALUES ('u', 'a', '', 1, 1)"
            )
        )
        for number, sender in enumerate("tu"):
            row = f"'a', '{number}', '{sender}', 'queued', 1, 1, 1, '', '', 0, 1, 1"
            await connection.execute(
                text(f"INSERT INTO bulk_emails ({columns}, created_at, updated_at) VALUES ({row})")
            )
    await migrate.upgrade(database)
    async with database.read() as connection:
        found = await connection.execute(text("SELECT token_id, user_id FROM bulk_emails ORDER BY id"))
        assert [tuple(row) for row in found] == [("t", ""), ("", "u")]
    await database.close()
