"""Stage 3: how bytes reach the other side.

    entry (a queue row this node owns)
      -> scheduler   which site is it for, may it go now, who is next (fair between accounts)
      -> lane        one per site: a few workers, each with one connection
      -> delivery    the named steps for one recipient: gate, load, compose, mark, talk, judge
      -> verdict     pure: what an outcome makes of the email (final, retry when, expired, quarantined)
      -> ticker      records outcomes and marks attempts, many in one transaction

Ownership (`lease`): a start of a node is an incarnation with a number; queue rows carry the number of their owner and
the node keeps one heartbeat. A node whose heartbeat has lapsed sends no final dot and starts over with a new number,
after it has recorded what it learned under the old one; that is never recorded over a row that was claimed since.

A lease is not an attempt: the ticker marks the attempts that are about to begin in the transaction that records the
last outcomes, and only a marked attempt may send its final dot. So after a crash exactly the marked rows may become
a second copy, they are counted, and three of them in a row put the email into quarantine. What a dead node leaves
behind is under suspicion: its next attempt is marked before anything else is done with it, and after two such
attempts it is tried while no other suspect is, so that a message that ends the process does so alone.

Whose address got onto a suppression list since, is sent nothing: that is looked up when a row is claimed, and again
(`suppressed`) when it waited in memory for more than some seconds.

Whether sending from a domain is paused, and whether the template of a scheduled message is still there, is asked of the
tables: in the claim, and the pause once more in the transaction that marks an attempt. A pause or suspension that is
over holds nothing any more: the transaction that would hold an email for it asks the tables, too. What the directory
knows may be a second old: it looks for changes before anything is held on its word.

Towards the network: `destination` (a route, else the MX hosts, with addresses vetted by `addresses`), `courier` (one
connection to one destination; next host on failure), `connection` (the socket under the pure client session), `tls`,
`transcript` (what was said, with times).

Nothing here holds a transaction while it talks: claim, commit, talk, record.
"""
