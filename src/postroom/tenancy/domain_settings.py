"""What can be set for a domain. What whole statements ask for has columns of its own; the rest is kept as JSON.

Everything that watches recipients is off until somebody switches it on (`domains.defaults` in the settings).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

UNSUBSCRIBE_HTML = '<p>Click here to <a href="{{unsubscribe}}">unsubscribe</a></p>'
UNSUBSCRIBE_PLAIN = "Click here to unsubscribe: {{unsubscribe}}"


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """By the names of the API. Subdomains are single labels before the domain's name."""

    track_clicks: bool = False
    track_opens: bool = False
    track_opens_pixel_on_top: bool = False
    track_unsubscribe: bool = False
    track_unsubscribe_html: str = UNSUBSCRIBE_HTML
    track_unsubscribe_html_enabled: bool = False
    track_unsubscribe_plain: str = UNSUBSCRIBE_PLAIN
    track_unsubscribe_plain_enabled: bool = False
    custom_tracking_enabled: bool = False
    custom_tracking_subdomain: str = "email"
    inbound_routing_enabled: bool = False
    inbound_routing_subdomain: str = "inbound"
    precedence_bulk: bool = False
    ignore_duplicated_recipients: bool = False

    def encode(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def decode(cls, stored: str) -> DomainSettings:
        said = json.loads(stored)
        return cls(**{field.name: said[field.name] for field in fields(cls) if field.name in said})
