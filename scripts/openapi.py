"""Prints what the dashboard is built from, as one JSON object: `v1` and `console`, the OpenAPI documents of the public API
and of what only the dashboard calls; `refusals`, the catalogue by id; `permissions`, those of each role."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from fastapi import APIRouter

from postroom.config import Config
from postroom.tenancy.entitlements import per_minute
from postroom.types.permissions import PERMISSIONS
from postroom.types.refusals import CATALOGUE
from postroom.web.api import app as v1
from postroom.web.api import openapi
from postroom.web.api.api import Api
from postroom.web.api.gate import Gate
from postroom.web.api.route import Door
from postroom.web.console import app as console
from postroom.web.console.gate import ConsoleGate


def document(
    api: Api, title: str, door: Door, resources: Sequence[Callable[[Api], APIRouter]]
) -> dict[str, Any]:
    return openapi.document(v1.application(title, api, door, resources), per_minute(api.config.api))


def everything() -> dict[str, Any]:
    # Endpoints are described, never called: the parts of a node that they would use are not needed.
    parts: dict[str, Any] = {field.name: MagicMock() for field in fields(Api) if field.init}
    api = Api(**parts | {"config": Config(data=Path("unused"))})
    return {
        "v1": document(api, "Postroom API", Gate(api), v1.RESOURCES),
        "console": document(api, "Postroom console", ConsoleGate(api), console.RESOURCES),
        "refusals": {rule.id: {"what": rule.what, "fix": rule.fix} for rule in CATALOGUE.values()},
        "permissions": {role: sorted(granted) for role, granted in PERMISSIONS.items()},
    }


if __name__ == "__main__":
    json.dump(everything(), sys.stdout, indent=1, sort_keys=True)
