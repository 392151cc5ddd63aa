"""What endpoints are given: a few parts of the node, and nothing of the web."""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.accept.api import ApiEdge
from postroom.accept.refused import RefusalLog
from postroom.config import Config
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
from postroom.web.bulk.worker import BulkWorker
from postroom.web.preflight.preflight import Preflight


@dataclass(frozen=True, slots=True)
class Api:
    """A router function takes this and uses what it needs. A part that a new resource needs becomes a field here."""

    config: Config
    database: Database
    directory: Directory
    persons: Persons
    clock: Clock
    refusals: RefusalLog
    accept: ApiEdge
    templates: TemplateLibrary
    bulk: BulkWorker
    preflight: Preflight
    quota: RequestQuota = field(repr=False)
    mail: SystemMail
    http: HttpClient
    resolver: Resolver
    hostname: str
    secrets: SecretBox = field(repr=False)
