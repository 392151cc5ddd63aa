"""How many files and connections this process may have open. Shells start programs with 1,024; that is few (S17)."""

from __future__ import annotations

import resource

WANTED = 65_536


def raise_limit() -> int:
    """Raise the soft limit as far as the hard one allows, and say what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        soft = reachable
    return WANTED if soft == resource.RLIM_INFINITY else soft
