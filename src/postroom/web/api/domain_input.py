"""What can be said of a domain: when it is added, and as its settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from postroom.config import DomainDefaults
from postroom.store.domains import Domain
from postroom.tenancy import domain_names
from postroom.tenancy.domain_settings import UNSUBSCRIBE_HTML, UNSUBSCRIBE_PLAIN
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.web.api.call import Caller
from postroom.web.api.domain_object import settings_of
from postroom.web.api.errors import invalid, refused
from postroom.web.api.fields import Flag, Input

VARIABLES = ("{{unsubscribe}}", "{{ unsubscribe }}", "{$unsubscribe}")
"""One of them in a text for unsubscribing: in this notation, or the contract's older one."""
SUBDOMAINS = ("return_path_subdomain", "custom_tracking_subdomain", "inbound_routing_subdomain")
LONGEST = 189
"""Octets of a name: 64 less than the longest there can be, for the hosts below it."""
TAKEN = "The name has already been taken."


def _named(name: str) -> str:
    try:
        found = domain_names.folded(name)
    except ValueError:
        raise ValueError("The {field} must be a valid domain name.") from None
    if "." not in found:
        raise ValueError("The {field} must be a valid domain name.")
    if len(found) > LONGEST:
        raise ValueError(f"The {{field}} must not be greater than {LONGEST} characters.")
    return found


def _label(label: str) -> str:
    try:
        return domain_names.label(label)
    except ValueError as error:
        raise ValueError(f"The {{field}} {error}.") from None


def _unsubscribing(text: str) -> str:
    if not any(variable in text for variable in VARIABLES):
        raise ValueError(f"The {{field}} must contain the variable {VARIABLES[0]}.")
    return text


Name = Annotated[
    str,
    AfterValidator(_named),
    Field(max_length=253, description="Mail is sent from it, and from below it.", examples=["example.com"]),
]
Label = Annotated[
    str,
    AfterValidator(_label),
    Field(max_length=63, description="Letters, digits and hyphens.", examples=["mail"]),
]
ReturnPath = Annotated[Label, Field(description="Bounces come back to this host.", examples=["mta"])]
Tracking = Annotated[Label, Field(description="The host of tracked links.", examples=["email"])]
Inbound = Annotated[Label, Field(description="The host of inbound mail.", examples=["inbound"])]
Unsubscribing = Annotated[str, Field(max_length=10_000), AfterValidator(_unsubscribing)]


class DomainIn(Input):
    name: Name
    return_path_subdomain: ReturnPath | None = None
    custom_tracking_subdomain: Tracking | None = None
    inbound_routing_subdomain: Inbound | None = None

    def defaults(self, defaults: DomainDefaults) -> DomainDefaults:
        """Those of the installation, with what was asked for. Raises ApiError when two hosts would be the same."""
        asked = {name: getattr(self, name) for name in SUBDOMAINS if getattr(self, name) is not None}
        _differ({name: getattr(defaults, name) for name in SUBDOMAINS}, asked)
        return defaults.model_copy(update=asked)


class SettingsIn(Input):
    """What is absent stays as it is."""

    send_paused: Flag | None = Field(
        None, description="Messages are accepted and wait until it ends.", examples=[False]
    )
    track_clicks: Flag | None = Field(None, description="Count clicks.", examples=[True])
    track_opens: Flag | None = Field(None, description="Count opens.", examples=[True])
    track_opens_pixel_on_top: Flag | None = Field(
        None, description="Put the picture that counts opens first.", examples=[False]
    )
    track_unsubscribe: Flag | None = Field(None, description="Add a way to unsubscribe.", examples=[True])
    track_unsubscribe_html: Unsubscribing | None = Field(
        None, description="What the HTML gets.", examples=[UNSUBSCRIBE_HTML]
    )
    track_unsubscribe_html_enabled: Flag | None = Field(
        None, description="Add it to the HTML.", examples=[True]
    )
    track_unsubscribe_plain: Unsubscribing | None = Field(
        None, description="What the text gets.", examples=[UNSUBSCRIBE_PLAIN]
    )
    track_unsubscribe_plain_enabled: Flag | None = Field(
        None, description="Add it to the text.", examples=[True]
    )
    track_content: Flag | None = Field(None, description="Keep content after delivery.", examples=[False])
    custom_tracking_enabled: Flag | None = Field(
        None, description="Let links lead over a host of this domain.", examples=[True]
    )
    custom_tracking_subdomain: Tracking | None = None
    return_path_subdomain: ReturnPath | None = None
    inbound_routing_enabled: Flag | None = Field(
        None, description="Take in mail to this domain.", examples=[False]
    )
    inbound_routing_subdomain: Inbound | None = None
    precedence_bulk: Flag | None = Field(
        None, description="Add `Precedence: bulk`, unless a message says otherwise.", examples=[False]
    )
    ignore_duplicated_recipients: Flag | None = Field(
        None, description="Take an address twice in a list for once.", examples=[True]
    )
    smtp_enabled: Flag | None = Field(None, description="Let its SMTP users log in.", examples=[True])
    strict_envelope: Flag | None = Field(
        None, description="Want the envelope sender under a verified domain.", examples=[False]
    )

    def changes(self, domain: Domain, caller: Caller) -> dict[str, Any]:
        """What is asked for. Raises ApiError when a person may not, or two hosts would be the same."""
        asked = self.model_dump(exclude_none=True)
        wanted = sorted({_permission(name) for name in asked if not _may(caller, name)})
        if wanted:
            raise refused(Refused(refusals.PERMISSION_MISSING, {"permissions": ", ".join(wanted)}))
        _differ(settings_of(domain).model_dump(include=set(SUBDOMAINS)), asked)
        return asked


def _permission(setting: str) -> Permission:
    if setting == "send_paused":
        return Permission.CONTROL_SENDINGS
    if setting.startswith(("track_", "custom_tracking_")):
        return Permission.CONTROL_TRACKING_OPTIONS
    return Permission.MANAGE_DOMAIN


def _may(caller: Caller, setting: str) -> bool:
    return caller.has(Permission.MANAGE_DOMAIN) or caller.has(_permission(setting))


def _differ(now: dict[str, str], asked: dict[str, Any]) -> None:
    """Two hosts with one name would need two kinds of records there."""
    then = now | {name: asked[name] for name in SUBDOMAINS if name in asked}
    wrong = {}
    for name in SUBDOMAINS:
        others = [other for other in SUBDOMAINS if other != name and then[other] == then[name]]
        if name in asked and others:
            text = f"The {name.replace('_', ' ')} and {others[0].replace('_', ' ')} must be different."
            wrong[name] = [text]
    if wrong:
        raise invalid(wrong)
