"""SQL: one file per noun; a function is one statement or one transaction. No policy lives here.

Two databases behind one URL: SQLite (embedded, one data directory, one `serve`) and PostgreSQL (many nodes). The
tables are in `schema`, the same for both; `migrations` brings a database to them. Times are integers: milliseconds
since 1970 in UTC. `account_id` leads every key of mail data, so the tables can be distributed by account.

Ordinary functions take an `AsyncConnection` from `Database.read()` or `Database.write()` and use SQLAlchemy Core.
The hot path does not: a statement costs 150-400 us through any layer, a row inside a batch 3 us, so what happens
for every message travels in batches (`batches`): accept, claim, the delivery tick. Each is one transaction in
driver-level SQL, written once for each database.

Beside the nouns: `migrate` brings the tables up to date at every start, `partitions` makes and drops days on
PostgreSQL, `checkpoint` keeps SQLite's log short, `retention` deletes in slices, `walk` reads long lists in
pieces, `interventions` is what people do to queue rows. A function that changes a configuration object raises
`installation.version` in the same transaction.

What holds here: a row never exists without its content (small content commits with it, large content is in the
blob store before); the queue row of an email is deleted in the transaction that makes the email final; nobody
waits for the network inside a transaction.
"""
