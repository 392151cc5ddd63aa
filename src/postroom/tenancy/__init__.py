"""Who may do what: accounts, people, domains, SMTP users, suppressions. Policy over `store`.

Functions take the `Database` first, do one thing in one transaction and return the record it made or found. What a
person did wrong is NotFoundError, ConflictError or PostroomError with a text to show as it is. A change and the
rise of `installation.version` commit together, so every process notices it within a second.

- `accounts`: who mail belongs to. An account sends once it is approved; suspension holds what is queued, approval
  releases it.
- `users`, `grants`, `invites`: the people who look after accounts, what each may do in which, and how they come in.
  `sessions`, `persons`: signing in and out, and the cache that tells whose session a cookie is.
- `domains`: what an account may put into From. A live domain counts as verified when its DKIM record is found
  (`verification`), when the operator vouches for it (`trusted`), or when it is a sandbox and nothing leaves.
  `domain_names`, `domain_settings`: what it may be called, and what can be set. `dns_records`: what to publish;
  `dns_check`, `dmarc_notes`: what is there; `domain_watch`: the daily look; `domain_removal`: how one goes.
  `installation_dns`: the names that all of them rely on.
- `holds`: what is held back and released in slices. A paused domain's mail is accepted and waits (`domains.pause`).
- `keys`: two DKIM keys per domain, one active, one prepared; private keys are sealed with the installation's key.
- `smtp_users`, `passwords`: the relay's credentials. Passwords are random secrets, shown once and kept as SHA-256
  and SCRAM keys; a person's password is kept as argon2id.
- `suppressions`: addresses not to send to. They are looked up when mail is accepted, and again when it is claimed.
- `templates`, `template_library`: stored content with versions, and the cache for who sends with it.
- `webhooks`: whom the events of a domain are told; each has a sealed secret.
- `system_account`: what the mail of Postroom itself belongs to.
- `quotas`: how days are counted.
- `directory`, `entries`: the cache in front of all this for the hot path. It answers without SQL while it is warm.
- `first_run`: what a new installation begins with.
"""
