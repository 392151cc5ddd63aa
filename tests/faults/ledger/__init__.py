"""Two ledgers and a judge: what was acknowledged, what arrived, and whether the two agree with the database.

Every recipient address is used once, so an address names one email everywhere: in the client's ledger, in the sink's,
and in the database. Its local part says what the sink does with it: `ok-7` is taken, `slow-7` is put off at its first
RCPT, `gone-7` does not exist.

    client    sends, and writes down each answer to an end of data before it goes on
    sink      the recipients' server; writes down each message before it answers
    state     what the database says, read from a copy and without the product's code
    check     the judge: invariants I1 to I5 of the design
    trial     a relay between the two, disturbed at a place or at random, then judged
    watch     whether this process stood still itself

At each disturbance the trial looks at both sides while the relay is dead or stands still. So the window (final dot
sent, outcome not committed) and the marked attempts are counted, not estimated. A trial is judged chapter by chapter,
each of which ends when everything is settled, and in the end as a whole.
"""
