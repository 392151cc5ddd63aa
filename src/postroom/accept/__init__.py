"""Stage 1: how a message gets in.

    edge (submission, api, later inbound)
      -> admit     the named rules, in order; each may refuse with an entry of the catalogue
      -> commit    group commit: everything that arrived while the last transaction ran goes into the next;
                   one transaction, one fsync, then all the answers
      -> handed    the stored rows, owned by this node, go straight to the delivery engine

Accepted means kept: an id is given out only after the transaction that holds the message is on stable storage. If it
cannot be kept it is not accepted: the answer is a 4xx and trying again is safe. What is refused is recorded
(`refused`), so whoever wonders why nothing arrived finds it.
"""
