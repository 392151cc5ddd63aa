"""Who is next: fair between accounts, single transactional mail first. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

from postroom.store.batches.rows import Entry

FAST, SLOW = 0, 1
TURNS = 5  # every fifth turn belongs to the slow lane, so a flood of urgent mail cannot starve the rest


class FairQueue:
    """Entries wait per lane and account; accounts of a lane take turns, each in the order of its entries."""

    __slots__ = ("_accounts", "_size", "_turn")

    def __init__(self) -> None:
        self._accounts: tuple[OrderedDict[str, deque[Entry]], ...] = (OrderedDict(), OrderedDict())
        self._size = 0
        self._turn = 0

    def __len__(self) -> int:
        return self._size

    def push(self, entry: Entry) -> None:
        accounts = self._accounts[FAST if entry.lane == FAST else SLOW]
        waiting = accounts.get(entry.account_id)
        if waiting is None:
            waiting = accounts[entry.account_id] = deque()
        waiting.append(entry)
        self._size += 1

    def pop(self) -> Entry | None:
        if not self._size:
            return None
        self._turn += 1
        order = (SLOW, FAST) if self._turn % TURNS == 0 else (FAST, SLOW)
        accounts = self._accounts[order[0]] or self._accounts[order[1]]
        account_id, waiting = next(iter(accounts.items()))
        entry = waiting.popleft()
        if waiting:
            accounts.move_to_end(account_id)
        else:
            del accounts[account_id]
        self._size -= 1
        return entry

    def drain(self) -> list[Entry]:
        """Everything, in no particular order; the queue is empty afterwards."""
        entries = [entry for accounts in self._accounts for waiting in accounts.values() for entry in waiting]
        for accounts in self._accounts:
            accounts.clear()
        self._size = 0
        return entries
