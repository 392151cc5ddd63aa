"""The twin of `SystemMailer` for tests: nothing is sent, everything is kept."""

from __future__ import annotations

from postroom.types.notices import Notice, Sent


class MemorySystemMail:
    """`notices` are those that were sent, the oldest first. `leaves` is what `send` says of the next ones."""

    def __init__(self, base_url: str = "http://localhost:8025", *, leaves: bool = True) -> None:
        self.notices: list[Notice] = []
        self.leaves = leaves
        self._base_url = base_url
        self._told: set[tuple[str, str]] = set()

    async def send(self, notice: Notice, *, once: str = "") -> Sent:
        told = once, getattr(notice, "to", "")
        if not once or told not in self._told:
            self.notices.append(notice)
        self._told.add(told)
        return Sent(f"{len(self.notices):024x}", self.leaves)

    def link(self, path: str) -> str:
        return f"{self._base_url}{path}"
