"""HTTP in and out. Today: `/health` for monitors, `/metrics` for Prometheus, and the catalogue of refusals as a page.

FastAPI on uvicorn, in the node's own loop beside SMTP. `app` builds the application; `server` runs it and says which
address it got. What needs a stage is injected by `node`.
"""
