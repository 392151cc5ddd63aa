"""What only the dashboard needs, below /console: signing in, who is signed in where, invitations as links.

Everything else on its screens is the public API: it lets people in with the same session (`web.api.persons`). These
endpoints follow the API's conventions (`web.api`), but are no part of its reference and may change with any version.
How to add one: as there, listed in `app.RESOURCES`, with

    @access(Permission.MANAGE_ACCOUNT)       a member of the account the person works in, with this permission
    @access()                                any member
    @open_to(Who.PERSON)                     whoever is signed in, also without an account
    @open_to(Who.OPERATOR)                   operators of the installation
    @open_to(Who.EITHER)                     who is not signed in, too; few requests a minute
    @open_to(Who.ANYBODY)                    the same, and a session does not matter

An endpoint that says nothing cannot be added; a token opens none of them. `CurrentCaller` is a member (with
`caller.actor` for the audit log), `CurrentPerson` whoever is signed in.

Files: `app` (all resources), `access` and `gate` (who may), `cookies`.

    session          signing in (sign_ins: each step; session_out: what is told) and out, the current account
    sessions         where one is signed in
    second_factor    codes of an app; profile: name, password (step_up: the password once more)
    email_changes    another address to sign in with, by a link in the mail
    password_resets  and sign_up: for strangers, by links in the mail (strangers: limits; tell: the mail)
    own_accounts     another account for oneself; invites: for others
    first_run        from a fresh installation to a real message
    home, senders    today at a glance, who sends; relay: where programs connect
    previews         HTML that is not sent yet
    approvals        asking for approval or more; accounts, account_requests, plans: the operator's side
"""
