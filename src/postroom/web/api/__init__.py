"""The HTTP API under /v1: one file per resource, named as in the API reference. How to add one:

    def router(api: Api) -> APIRouter:                        # in web/api/webhooks.py; list it in `app.RESOURCES`
        resource = routes("Webhooks")                         # the heading in the reference

        async def webhook(webhook_id: str, caller: CurrentCaller) -> Webhook:     # a loader: 404 before validation
            async with api.database.read() as connection:
                found = await store.get(connection, caller.account_id, webhook_id)
            if found is None or not caller.may_use(found.domain_id):
                raise not_found()
            return found

        @resource.put("/webhooks/{webhook_id}", summary="Update a webhook")
        @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
        async def update(body: WebhookUpdate, found: Webhook = Depends(webhook)) -> Data[WebhookOut]:
            \"\"\"What the reference says about it.\"\"\"

- `@access(...)` names scopes and permissions, the area of its rate limit, whether it counts. A token needs one of the
  scopes, a person who is signed in one of the permissions; an endpoint with scopes only is not for people, one with
  neither is for everybody of the account. The gate has let the caller in before anything of the body is read.
- Every query names `caller.account_id`: what belongs to another account is a 404 (H01). Tokens and Custom Users may be
  limited to some domains: `caller.may_use(domain_id)`, in a list `caller.domains` (None: all; `store.query.within`);
  Custom Users to some templates: `caller.templates`. A person may lack a permission that only a part of an endpoint
  needs: `caller.has(...)`. The audit log gets `caller.actor`; nobody hands out more than `caller.grant`.
- A body is an `Input` model: null and "" are absent, unknown fields ignored. Types shared by bodies are in `fields`;
  a validator raises ValueError("The {field} ..."). `words` turns what pydantic says into the contract's words.
- Wrong beyond its shape: `raise invalid({"url": ["The url has already been taken."]})` with all fields at once, or
  `raise refused(Refused(...), "from.email")` for an entry of the catalogue. NotFoundError becomes 404, any other
  PostroomError 422, StorageUnavailableError 503, whatever else 500 with nothing inside.
- Return the response model: `Data[...]`, or a page's `simple`/`counted` (see `pages`), or `empty(202)`. Times are
  `CreatedAt` and so on (milliseconds inside). Declare status codes and give every field a description, its limit (those
  of answers are the types of `shown`) and an example: /v1/openapi.json is printed from them, the error answers and the
  ids of the path are added to each endpoint. Tests look for what is missing, and try every endpoint with schemathesis.
- The order is 401, 403, 404, 422. What is wrong with the query or the body of a request about one object is told after
  the loaders have run: `route` does so by itself.
- A list in the query has the alias `name[]` and thereby all three spellings (`query`).
- A string of more than 8 MB in a body (an attachment) arrives as `wire.json.LongText`, to be read in pieces; fields
  that take such say so. It lives until the answer. Work on large bodies belongs off the loop: `body.off_loop(...)`.
- One endpoint is asked for thousands of times a second, `POST /email`: it is `@direct`, which spares it FastAPI's own
  handling (see `direct`). Everything else here holds for it as well.
- A dependency inside `router` is a default (`= Depends(webhook)`): annotations are text, and FastAPI looks names in
  them up in the module only.
- What changes something writes one entry in the audit log: a call that succeeds comes into tests/support/changes.py.

Files: `app` (all resources), `api` (what they are given), `route` (how an endpoint runs), `direct` (how without FastAPI),
`gate`, `persons`, `access`, `call`, `rates`, `quota` (who may ask, and how often), `body`, `query`, `fields`,
`called_url`, `words` (what comes in), `json_out`, `shown`, `pages`, `export`, `errors`, `codes` (what goes out), `edge` (around
everything), `openapi`, `reference`. Parts of single resources lie beside them.
"""
