"""HTTP in and out: the API under /v1, `/health` for monitors, `/metrics` for Prometheus, the catalogue of refusals as a
page.

FastAPI on uvicorn, in the node's own loop beside SMTP: one plain listener, for this machine and for trusted proxies, and
any number with TLS, with the certificates of SMTP. The rules: nothing of a body is read before it is known who sends
it; no work on a large body holds the loop (design, rule 10); what needs a stage is injected by `node`.

Files, from the socket inwards:

    server      runs the application on its listeners, and says which addresses it got
    connection  the limits of time and size that uvicorn lacks; `parser`: HTTP/1.1 and no upgrades
    proxies     who the client is, and whether the request came encrypted
    app         puts the applications together: below /v1 the API, below /console what the dashboard needs besides, and
                the pages of `health`, `public`, `public_confirmation` and the dashboard; `asked`: HEAD, and a slash at the end
    api/        the API: one file per resource; its docstring says how to add one
    console/    signing in, sessions, invitations; the same conventions
    dashboard/  the dashboard as files, built from ui/
    bulk/       what becomes of a bulk email after its 202: kept as it came, then read and accepted in groups
    preflight/  what would become of a message, for the API and for `X-Postroom-Preflight` over SMTP
"""
