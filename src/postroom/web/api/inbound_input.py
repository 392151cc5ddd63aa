"""What can be said of an inbound route: when it is made, and when it is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from postroom.runtime.http_client import HttpClient
from postroom.tenancy import domain_names
from postroom.tenancy.inbounds import Target
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.inbound import CatchKind, Comparer, Condition, Filter, ForwardKind, MatchKind, Needed
from postroom.web.api.called_url import readable, url_problem
from postroom.web.api.domain_object import BodyDomainId
from postroom.web.api.fields import Flag, Input
from postroom.web.api.words import EMAIL, REQUIRED, shown

MOST_CONDITIONS, MOST_FORWARDS = 5, 5

_HEADER = re.compile(r"[!-9;-~]{1,191}")
"""The name of a header field (RFC 5322 section 2.2)."""


def _trimmed(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("The {field} must hold printable characters.")
    return text


def _header_name(name: str) -> str:
    name = name.strip()
    if _HEADER.fullmatch(name) is None:
        raise ValueError("The {field} must be the name of a header field.")
    return name


def _domain_name(name: str) -> str:
    try:
        return domain_names.folded(name)
    except ValueError:
        raise ValueError("The {field} must be a valid domain name.") from None


Text = Annotated[str, AfterValidator(_trimmed), Field(max_length=191)]
Name = Annotated[Text, Field(description="For people.", examples=["Support"])]
DomainEnabled = Annotated[
    Flag, Field(description="Whether it takes mail to `inbound_domain`, too.", examples=[True])
]
InboundDomain = Annotated[
    str,
    AfterValidator(_domain_name),
    Field(max_length=191, description="The domain or a name below it.", examples=["inbound.example.com"]),
]
Priority = Annotated[
    int, Field(ge=0, le=100, description="Of routes with one inbound domain, the lowest is asked first.")
]
Enabled = Annotated[Flag, Field(description="Whether it takes any mail.", examples=[True])]


class ConditionIn(Input):
    comparer: Comparer = Field(description="How it is compared.", examples=["starts-with"])
    value: Annotated[Text, Field(description="With what.", examples=["support"])]
    key: Annotated[str, AfterValidator(_header_name)] | None = Field(
        None, max_length=191, description="Which header, with `match_header`.", examples=["X-Priority"]
    )


Conditions = Annotated[
    list[ConditionIn],
    Field(max_length=MOST_CONDITIONS, description="What has to hold; none with `..._all`."),
]


class CatchIn(Input):
    type: CatchKind = Field(description="All mail, or by its recipient.", examples=["catch_recipient"])
    filters: Conditions = Field(default_factory=list)

    def filter(self) -> Filter:
        return _filter(self.type, () if self.type is CatchKind.ALL else self.filters)

    def problems(self, path: str) -> dict[str, list[str]]:
        return _required(f"{path}.filters", self.type is not CatchKind.ALL and not self.filters)


class MatchIn(Input):
    type: MatchKind = Field(
        description="All mail, or by its sender, the sender's domain, or a header.", examples=["match_sender"]
    )
    filters: Conditions = Field(default_factory=list)

    def filter(self) -> Filter:
        by_header = self.type is MatchKind.HEADER
        return _filter(self.type, () if self.type is MatchKind.ALL else self.filters, keyed=by_header)

    def problems(self, path: str) -> dict[str, list[str]]:
        """A header is compared only if it is named."""
        wrong = _required(f"{path}.filters", self.type is not MatchKind.ALL and not self.filters)
        for at, one in enumerate(self.filters if self.type is MatchKind.HEADER else ()):
            wrong |= _required(f"{path}.filters.{at}.key", one.key is None)
        return wrong


Empty = BeforeValidator(lambda value: value or None)
"""PHP sends an empty list for an object that it does not use."""
CatchFilter = Annotated[CatchIn | None, Empty, Field(description="By whom the mail is for; all if absent.")]
MatchFilter = Annotated[MatchIn | None, Empty, Field(description="By what the mail is like; all if absent.")]
Type = Annotated[Needed, Field(description="All of the conditions, or one.", examples=["one"])]


class ForwardIn(Input):
    type: ForwardKind = Field(description="To an address, or to a URL.", examples=["webhook"])
    value: Annotated[
        Text, Field(description="The address or the URL.", examples=["https://example.com/inbound"])
    ]

    def problem(self, http: HttpClient) -> str | None:
        """What is wrong with the address or the URL; `{field}` stands for its name."""
        try:
            if self.type is ForwardKind.EMAIL:
                parse_mailbox(self.value)
                return None
            readable(self.value)
        except AddressError:
            return EMAIL
        except ValueError as error:
            return str(error)
        refused = url_problem(http, self.value)
        return None if refused is None else refused.text.replace("The url", "The {field}")

    def target(self) -> Target:
        if self.type is ForwardKind.EMAIL:
            return Target(self.type, str(parse_mailbox(self.value)))
        return Target(self.type, self.value)


Forwards = Annotated[
    list[ForwardIn],
    Field(min_length=1, max_length=MOST_FORWARDS, description="Where the mail goes."),
]


class _Said(Input):
    inbound_domain: InboundDomain | None = None
    inbound_priority: Priority | None = Field(None, examples=[10])
    catch_filter: CatchFilter = None
    catch_type: Type | None = None
    match_filter: MatchFilter = None
    match_type: Type | None = None
    enabled: Enabled | None = None


class InboundIn(_Said):
    domain_id: BodyDomainId
    name: Name
    domain_enabled: DomainEnabled
    forwards: Forwards


class InboundChange(_Said):
    """What is absent stays as it is."""

    name: Name | None = None
    domain_enabled: DomainEnabled | None = None
    forwards: Forwards | None = None


def problems(
    said: InboundIn | InboundChange, http: HttpClient, *, had_domain: bool = False
) -> dict[str, list[str]]:
    """What is wrong with fields together. `had_domain`: the route has an inbound domain already."""
    needed = bool(said.domain_enabled) and not had_domain
    wrong = _required("inbound_domain", needed and said.inbound_domain is None)
    wrong |= _required("inbound_priority", needed and said.inbound_priority is None)
    for path, one in (("catch_filter", said.catch_filter), ("match_filter", said.match_filter)):
        wrong |= {} if one is None else one.problems(path)
    seen = set()
    for at, forward in enumerate(said.forwards or ()):
        path = f"forwards.{at}.value"
        problem = forward.problem(http)
        if problem is None and forward.value in seen:
            problem = "The {field} field has a duplicate value."
        if problem is not None:
            wrong[path] = [problem.replace("{field}", shown(path))]
        seen.add(forward.value)
    return wrong


def fields(said: InboundIn | InboundChange, *, had_domain: bool = False) -> dict[str, Any]:
    """As `tenancy.inbounds` names them, what is absent left out. Switched off, the inbound domain is forgotten."""
    with_domain = had_domain if said.domain_enabled is None else said.domain_enabled
    found = {
        "name": said.name,
        "enabled": said.enabled,
        "catch_filter": None if said.catch_filter is None else said.catch_filter.filter(),
        "catch_type": said.catch_type,
        "match_filter": None if said.match_filter is None else said.match_filter.filter(),
        "match_type": said.match_type,
        "targets": None if said.forwards is None else tuple(one.target() for one in said.forwards),
        "inbound_domain": said.inbound_domain,
        "priority": said.inbound_priority,
    }
    found = {name: value for name, value in found.items() if value is not None}
    return found if with_domain else found | {"inbound_domain": None, "priority": 0}


def _filter(kind: str, conditions: Iterable[ConditionIn], *, keyed: bool = False) -> Filter:
    found = (Condition(one.comparer, one.value, one.key if keyed else None) for one in conditions)
    return Filter(kind, tuple(found))


def _required(path: str, missing: bool) -> dict[str, list[str]]:
    return {path: [REQUIRED.replace("{field}", shown(path))]} if missing else {}
