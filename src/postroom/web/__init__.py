"""HTTP in and out: the API under /v1 (`api`), `/health` for monitors, `/metrics` for Prometheus, the catalogue of
refusals as a page.

FastAPI on uvicorn, in the node's own loop beside SMTP. `app` puts the applications together; `server` runs them on one
plain listener and any number with TLS, and says which addresses it got; `connection` has the limits of time and size
that uvicorn lacks; `proxies` decides who the client is and whether the request came encrypted. `health` and `public`
are the pages. What needs a stage is injected by `node`.
"""
