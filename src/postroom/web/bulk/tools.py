"""What taking in and working off batches needs of the node."""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.accept.api import ApiEdge
from postroom.accept.refused import RefusalLog
from postroom.config import Config
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.store.database import Database
from postroom.tenancy.directory import Directory
from postroom.tenancy.template_library import TemplateLibrary
from postroom.wire.template import TemplateCache


@dataclass(frozen=True, slots=True)
class Tools:
    config: Config
    database: Database
    clock: Clock
    directory: Directory
    blobs: Blobs
    accept: ApiEdge
    templates: TemplateLibrary
    refusals: RefusalLog
    cache: TemplateCache = field(default_factory=TemplateCache)
