import asyncpg, pytest
@pytest.mark.parametrize("i", range(5))
async def test_x(postgres_url, i):
    c = await asyncpg.connect(postgres_url)
    assert await c.fetchval("show fsync") == "on"
    await c.execute("create table x(y int)")
    await c.close()
async def test_t(postgres_server):
    async def prep(url):
        c = await asyncpg.connect(url); await c.execute("create table x(y int)"); await c.close()
    t = postgres_server.template("migrated", prep)
    with postgres_server.fresh(t) as url:
        c = await asyncpg.connect(url); assert await c.fetch("select * from x") == []
        await c.close()
