"""How far a token reaches, and that nobody hands out a token that reaches farther than they do themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_network

from postroom.store.tokens import Token
from postroom.tenancy.entries import Network
from postroom.tenancy.grants import Grant
from postroom.types import refusals
from postroom.types.permissions import Role
from postroom.types.refusals import Refused
from postroom.types.scopes import NEEDS, Scope, with_reading


@dataclass(frozen=True, slots=True)
class Reach:
    """`domains` None: all of the account. `expires_at`, in milliseconds, None: never. No networks: any client."""

    scopes: frozenset[Scope]
    domains: frozenset[str] | None = None
    expires_at: int | None = None
    networks: tuple[Network, ...] = ()

    def beyond(self, own: Reach) -> Refused | None:
        """Why who has `own` may not hand this out, or None. Refused: TOKEN_MORE_THAN_OWN."""
        what = self._more_than(own)
        return Refused(refusals.TOKEN_MORE_THAN_OWN, {"what": what}) if what else None

    def _more_than(self, own: Reach) -> str:
        """The first thing that `own` lacks; "" when there is none."""
        lacking = self.scopes - with_reading(own.scopes)
        if lacking:
            return f"the scope {', '.join(scope for scope in Scope if scope in lacking)}"
        if own.domains is not None and (self.domains is None or not self.domains <= own.domains):
            return "domains that you may not use"
        if own.expires_at is not None and (self.expires_at is None or self.expires_at > own.expires_at):
            return "a longer life than your own"
        if own.networks and not _all_within(self.networks, own.networks):
            return "client addresses that you may not use"
        return ""

    def within(self, own: Reach) -> Reach:
        """Limits of `own` in time and place, where this one has none: what a token makes goes no farther."""
        return replace(
            self,
            expires_at=own.expires_at if self.expires_at is None else self.expires_at,
            networks=self.networks or own.networks,
        )


def of_token(token: Token) -> Reach:
    """Scopes that only a newer version knows are left out."""
    return Reach(
        frozenset(scope for scope in Scope if scope in token.scopes.split()),
        None if token.domain_id is None else frozenset({token.domain_id}),
        token.expires_at,
        networks(token.allowed_addresses.splitlines()),
    )


def of_person(grant: Grant) -> Reach:
    """What a person's permissions allow them to give; only Admins give what makes Admins."""
    scopes = {scope for scope in Scope if NEEDS[scope] <= grant.permissions}
    if grant.role is not Role.ADMIN:
        scopes.discard(Scope.USERS_FULL)
    return Reach(frozenset(scopes), grant.domains)


def networks(written: Iterable[str]) -> tuple[Network, ...]:
    """As `tokens.network` writes them."""
    return tuple(map(ip_network, written))


def _all_within(inner: tuple[Network, ...], outer: tuple[Network, ...]) -> bool:
    return bool(inner) and all(any(_is_within(one, around) for around in outer) for one in inner)


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return not isinstance(outer, IPv4Network) and inner.subnet_of(outer)
