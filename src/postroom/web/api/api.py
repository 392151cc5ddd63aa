"""What endpoints are given: a few parts of the node, and nothing of the web."""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.accept.api import ApiEdge
from postroom.accept.refused import RefusalLog
from postroom.config import Config
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.runtime.http_client import HttpClient
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy.directory import Directory
from postroom.tenancy.persons import Persons
from postroom.tenancy.template_library import TemplateLibrary
from postroom.types.notices import SystemMail
from postroom.web.api.quota import RequestQuota
from postroom.web.bulk import BulkWorker, Tools
from postroom.web.preflight.preflight import Preflight


@dataclass(frozen=True, slots=True)
class Api:
    """A router function takes this and uses what it needs. A part that a new resource needs becomes a field here.

    `bulk` is made here, of the same parts; whoever makes an Api starts and stops it.
    """

    config: Config
    database: Database
    blobs: Blobs
    directory: Directory
    persons: Persons
    clock: Clock
    refusals: RefusalLog
    accept: ApiEdge
    templates: TemplateLibrary
    preflight: Preflight
    quota: RequestQuota = field(repr=False)
    mail: SystemMail
    http: HttpClient
    resolver: Resolver
    hostname: str
    secrets: SecretBox = field(repr=False)
    bulk: BulkWorker = field(init=False)

    def __post_init__(self) -> None:
        tools = Tools(
            config=self.config,
            database=self.database,
            clock=self.clock,
            directory=self.directory,
            blobs=self.blobs,
            accept=self.accept,
            templates=self.templates,
            refusals=self.refusals,
        )
        object.__setattr__(self, "bulk", BulkWorker(tools))  # frozen for everybody else
