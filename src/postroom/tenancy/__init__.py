"""Who may do what: accounts, people, domains, SMTP users, suppressions. Policy over `store`.

Functions take the `Database` first, do one thing in one transaction and return the record it made or found. What a
person did wrong is NotFoundError, ConflictError or PostroomError with a text to show as it is. A change and the
rise of `installation.version` commit together, so every process notices it within a second.

- `accounts`: who mail belongs to. An account sends once it is approved; suspension holds what is queued, its end
  releases it. `account_requests`, `approvals`: what an account asks the operator for, and the decision;
  `account_letters`: who hears of that by mail.
- `entitlements`: what an account's plan allows. Nobody else reads plans; whoever adds something is told how many there
  may be, and counts in the transaction that adds it.
- `users`, `grants`, `invites`: the people who look after accounts, what each may do in which, and how they come in.
  `sessions`, `persons`: signing in and out, and the cache that tells whose session a cookie is. `second_factor`,
  `enrolment`: the second step. `one_time_links`: `sign_in_links`, `password_resets`, `sign_up` and
  `email_changes` use them. `profile`: what people change about themselves.
- `domains`: what an account may put into From. A live domain counts as verified when its DKIM record is found
  (`verification`), when the operator vouches for it (`trusted`), or when it is a sandbox and nothing leaves.
  `domain_names`, `domain_settings`: what it may be called, and what can be set. `dns_records`: what to publish;
  `dns_check`, `dmarc_notes`: what is there; `domain_watch`: the daily look; `domain_removal`: how one goes.
  `installation_dns`: the names that all of them rely on; `name_watch`: a warning when live mail starts under a bad one.
- `holds`: what is held back and released in slices. A paused domain's mail is accepted and waits (`domains.pause`), and
  a suspended account's.
- `keys`: two DKIM keys per domain, one active, one prepared; private keys are sealed with the installation's key.
- `smtp_users`, `passwords`: the relay's credentials, and what each may do. Passwords are random secrets, shown once and
  kept as SHA-256 and SCRAM keys; a person's password is kept as argon2id. `smtp_caps`: how much one may send.
- `tokens`, `token_reach`: the credentials of programs, and that nobody hands out more than they have.
- `sender_identities`: single addresses that may be sent from because their owners agreed; `identity_rules` and
  `dmarc_policy`: which cannot be, `identity_watch`: the daily look.
- `suppressions`: addresses not to send to. They are looked up when mail is accepted, and again when it is claimed.
- `templates`, `template_library`: stored content with versions, and the cache for who sends with it.
- `webhooks`: whom the events of a domain are told; each has a sealed secret. `inbounds`: where inbound mail goes.
- `audit`: one entry for each change, in its transaction; `audit_log` reads and exports them.
- `interventions`: what the operator does to waiting mail by hand, and owners to scheduled messages.
- `system_account`: what the mail of Postroom itself belongs to.
- `quotas`, `spans`: how many emails a day, how days and hours are counted. `held_over_quota`: what waits for the next
  day; `quota_watch`: who hears that a quota is used up.
- `directory`, `entries`: the cache in front of all this for the hot path. It answers without SQL while it is warm.
- `first_run`: what a new installation begins with. `first_run_steps`: the way from there to a real message, with
  `network_checks`: whether this machine can send mail at all.
"""
