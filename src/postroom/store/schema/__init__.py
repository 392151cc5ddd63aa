"""The tables of the database, as SQLAlchemy Core knows them.

- One file per subject. A new table goes into the file of its subject, or begins a file, which is then imported here:
  `metadata` knows all tables once this package is imported.
- A change here needs a migration in `store/migrations/versions`; a test compares the two on both databases.
- Times are milliseconds since 1970 and named `..._at`; ids are as the API shows them, 16 characters for configuration
  objects and 24 hex for mail. `account_id` leads every key, so that tables can be distributed by account.
- Secrets are hashes, or sealed with the installation's key (`runtime.secrets`).

Files: `columns` (what tables are made of), `installation`, `tenancy` (who may do what), `account_requests`, `people`, `audit`, `templates`,
`sender_identities`, `mail`, `recipients`, `bulk`, `webhooks`, `inbounds`.
"""

from __future__ import annotations

from postroom.store.schema.account_requests import account_requests
from postroom.store.schema.audit import audit
from postroom.store.schema.bulk import bulk_emails, bulk_groups
from postroom.store.schema.columns import metadata
from postroom.store.schema.inbounds import inbounds
from postroom.store.schema.installation import installation, nodes
from postroom.store.schema.mail import (
    api_messages,
    attempts,
    contents,
    emails,
    events,
    idempotency_keys,
    inbox,
    message_metadata,
    messages,
    personalizations,
    queue,
    refusals,
)
from postroom.store.schema.people import (
    invites,
    memberships,
    one_time_links,
    previews,
    recovery_codes,
    second_factors,
    sessions,
    users,
)
from postroom.store.schema.recipients import recipient_marks, recipients
from postroom.store.schema.sender_identities import sender_identities
from postroom.store.schema.templates import template_versions, templates
from postroom.store.schema.tenancy import (
    accounts,
    dkim_keys,
    domains,
    quota_days,
    quota_notices,
    request_days,
    smtp_user_counts,
    smtp_users,
    suppressions,
    tokens,
)
from postroom.store.schema.webhooks import webhooks

__all__ = [
    "account_requests",
    "accounts",
    "api_messages",
    "attempts",
    "audit",
    "bulk_emails",
    "bulk_groups",
    "contents",
    "dkim_keys",
    "domains",
    "emails",
    "events",
    "idempotency_keys",
    "inbounds",
    "inbox",
    "installation",
    "invites",
    "memberships",
    "message_metadata",
    "messages",
    "metadata",
    "nodes",
    "one_time_links",
    "personalizations",
    "previews",
    "queue",
    "quota_days",
    "quota_notices",
    "recipient_marks",
    "recipients",
    "recovery_codes",
    "refusals",
    "request_days",
    "second_factors",
    "sender_identities",
    "sessions",
    "smtp_user_counts",
    "smtp_users",
    "suppressions",
    "template_versions",
    "templates",
    "tokens",
    "users",
    "webhooks",
]
