"""Words every layer shares. No IO, no policy, no imports from any other layer.

`reply.Reply` is one SMTP reply; `refusals` is THE catalogue of everything Postroom ever refuses; `envelope` is
what SMTP calls an envelope, and `addresses` reads the mailboxes and domains in it, for settings and HTTP, too; `draft` is a message on its way in, `parts` what those of the API are made of;
`outcome` is what a delivery attempt came to; `events` is THE list of what is recorded about an email; `status` is
where an email stands; `scopes` is what an API token may do, and who may say so; `free_mail` is where everybody can have an address; `suppression` says whom an account does not send to, and
`template` what a stored template holds; `notices` is the mail that Postroom itself sends, `webhooks` what a webhook can be
told, `inbound` what an inbound route is made of; `actor` is who changes something.
"""
