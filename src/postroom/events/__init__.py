"""What comes back, and how long what happened is remembered.

An event is written in the transaction that makes it true: accept writes `queued`, the delivery tick `sent`,
`delivered`, `deferred` and the bounces, an intervention `held`, `released` and `cancelled`. `types.events` is THE list
of them. Events are append-only; activity, webhooks and analytics read them and nobody changes them.

Growth has an owner: `retention`. It takes away content once its time has come, what sandboxes hold beyond their limit,
events and attempts (on PostgreSQL as whole days), refusals, recipients, and in the end the messages. It works in slices, so that
accept never waits longer for it than for a commit, and any node may run it at any time.

`on_hold` puts on hold who has bounced softly again and again.

`recipients` gathers whom an account has written to from the emails that were accepted, some seconds behind.
"""
