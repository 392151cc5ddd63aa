"""The twin of `SystemMailer` for tests: nothing is sent, everything is kept."""

from __future__ import annotations

from postroom.types.notices import Notice, Sent


class MemorySystemMail:
    """`notices` are those that were sent, the oldest first. `leaves` is what `send` says of the next ones."""

    def __init__(self, base_url: str = "http://localhost:8025", *, leaves: bool = True) -> None:
        self.notices: list[Notice] = []
        self.leaves = leaves
        self._base_url = base_url

    async def send(self, notice: Notice) -> Sent:
        self.notices.append(notice)
        return Sent(f"{len(self.notices):024x}", self.leaves)

    def link(self, path: str) -> str:
        return f"{self._base_url}{path}"
