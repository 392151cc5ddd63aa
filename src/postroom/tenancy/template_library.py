"""Stored templates for who sends with them: read once, kept until some configuration object changes."""

from __future__ import annotations

import sys

from postroom.errors import NotFoundError
from postroom.store.database import Database
from postroom.tenancy import templates
from postroom.tenancy.directory import Directory
from postroom.tenancy.templates import StoredTemplate

OCTETS = 32 * 1024 * 1024
"""Of sources in memory; beyond that the library starts over."""


class TemplateLibrary:
    """The directory's rules hold here, too: a change made by any process is seen within a second."""

    def __init__(self, db: Database, directory: Directory) -> None:
        self._db = db
        self._held: dict[tuple[str, str], StoredTemplate] = {}
        self._octets = 0
        self._generation = 0
        directory.on_change(self.forget)

    async def get(self, account_id: str, template_id: str) -> StoredTemplate | None:
        """A template of this account in its newest version; None when there is none.

        Raises StorageUnavailableError when it is not held and the database does not answer.
        """
        key = (account_id, template_id)
        if (held := self._held.get(key)) is not None:
            return held
        generation = self._generation
        try:
            template = await templates.get(self._db, account_id, template_id)
        except NotFoundError:
            return None
        if generation == self._generation:
            self._keep(key, template)
        return template

    def forget(self) -> None:
        self._generation += 1
        self._held.clear()
        self._octets = 0

    def _keep(self, key: tuple[str, str], template: StoredTemplate) -> None:
        octets = sum(sys.getsizeof(source) for _, source in template.content.sources())
        if self._octets + octets > OCTETS:
            self.forget()
        self._held[key] = template
        self._octets += octets
