"""The machine underneath: what Postroom needs from the world, with no business word in it.

Every part is small, stands alone, and has a twin for tests where the world would be slow or random:

- `clock`    the wall clock, two monotonic clocks and sleep; `FakeClock` stands still until a test moves it
- `dns`      MX, addresses, TXT and PTR with a cache; `FakeResolver` answers from a dict
- `addresses`  those that nobody may make us connect to; `interfaces` knows which are our own, `hostname` how we are called
- `http_client`  requests to URLs that customers give, kept from leading inside; `MemoryHttpClient`
- `blobs`    large content: written durably or not at all, read in chunks; `FileBlobs` and `MemoryBlobs`
- `files`    atomic private files, and the lock that keeps a second node out of a data directory; `descriptors` says
             how many may be open
- `ids`      the forms of identifiers and random secrets
- `secrets`  encryption at rest under a key file that lies outside the database, and subkeys of it
- `tls`      server contexts that follow their certificate files; `local_ca` makes the first run's certificate
- `logs`     structured logs, every line through the redactor in `redact`
- `metrics`  the named Prometheus metrics; `loop` measures how long callbacks hold the event loop
- `every`    named periodic jobs

Rules: nothing else in Postroom asks the system for the time, so tests can drive it. Whatever waits for the disk
does so in a thread. A fault of the disk is a StorageUnavailableError, and never leaves half a file behind.
"""
