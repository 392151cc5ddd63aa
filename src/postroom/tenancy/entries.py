"""What the directory caches, made from records of the store."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from postroom.store.accounts import Account
from postroom.store.domains import Domain
from postroom.store.sender_identities import SenderIdentity
from postroom.store.smtp_users import SmtpUser
from postroom.store.tokens import Token
from postroom.tenancy.domain_settings import DomainSettings
from postroom.tenancy.smtp_caps import Cap, caps_of
from postroom.types import refusals
from postroom.types.draft import Stream
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope

Network = IPv4Network | IPv6Network

_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who logged in. `password_hash` tells whether it is still the same password.

    `from_domains` are the ids of the only domains that From and Sender may be under, None: all of the account.
    """

    id: str
    username: str
    account_id: str
    domain_id: str
    stream: Stream
    refuse_suppressed: bool
    password_hash: bytes = field(repr=False)
    from_domains: frozenset[str] | None = None
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """An SMTP user with what a login depends on. No networks: any client address may use it; `expires_at` is in
    milliseconds since 1970, None: never."""

    credential: Credential
    enabled: bool
    domain_name: str
    domain_enabled: bool
    networks: tuple[Network, ...]
    expires_at: int | None

    @property
    def password_hash(self) -> bytes:
        return self.credential.password_hash

    def refusal(self, address: str, now_ms: int) -> Refused | None:
        """Why the right password is not enough."""
        if not self.enabled:
            return Refused(refusals.SMTP_USER_DISABLED, {"username": self.credential.username})
        if self.expires_at is not None and now_ms >= self.expires_at:
            expired = datetime.fromtimestamp(self.expires_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            facts = {"username": self.credential.username, "expired": expired}
            return Refused(refusals.SMTP_USER_EXPIRED, facts)
        if not self.domain_enabled:
            return Refused(refusals.DOMAIN_SMTP_DISABLED, {"domain": self.domain_name})
        if self.networks and not _within(address, self.networks):
            return Refused(refusals.ADDRESS_NOT_ALLOWED, {"address": address})
        return None

    def renewed(self, credential: Credential, address: str, now_ms: int) -> Credential | Refused:
        """A login made earlier, with what the SMTP user may do now; LOGIN_REVOKED if it does not hold any more."""
        holds = credential is self.credential or self._has_password_of(credential)
        if holds and self.refusal(address, now_ms) is None:
            return self.credential
        return Refused(refusals.LOGIN_REVOKED)

    def _has_password_of(self, credential: Credential) -> bool:
        unchanged = hmac.compare_digest(credential.password_hash, self.password_hash)
        return unchanged and credential.id == self.credential.id


@dataclass(frozen=True, slots=True)
class Bearer:
    """An API token as requests need it. `domains` None: all of the account; no networks: any client.

    `expires_at` is in milliseconds since 1970, None: never.
    """

    id: str
    name: str
    account_id: str
    domains: frozenset[str] | None
    scopes: frozenset[Scope]
    paused: bool
    expires_at: int | None
    networks: tuple[Network, ...]

    def refusal(self, address: str, now_ms: int) -> Refused | None:
        """Why the right token is not enough. A paused or expired one is as good as none."""
        if self.paused or (self.expires_at is not None and now_ms >= self.expires_at):
            return Refused(refusals.TOKEN_INVALID)
        if self.networks and not _within(address, self.networks):
            return Refused(refusals.TOKEN_ADDRESS, {"address": address})
        return None


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """A verified domain. `return_path_host` is empty until that is verified, too. Whether something may be
    sent at last is not decided by `send_paused`: the table is asked, too."""

    id: str
    name: str
    mode: str
    strict_envelope: bool
    keep_content: bool
    return_path_host: str
    send_paused: bool = False
    precedence_bulk: bool = False
    ignore_duplicated_recipients: bool = False


@dataclass(frozen=True, slots=True)
class IdentityInfo:
    """A verified sender identity. `name` "" and `reply_to` None: nothing is set for what leaves them open."""

    domain_id: str
    name: str
    reply_to: Mailbox | None


@dataclass(frozen=True, slots=True)
class AccountState:
    """`state` is unapproved, approved or suspended. `daily_quota` is its own, None: as `tenancy.entitlements` says for
    its `plan`; 0: no limit.

    `verified` maps the names of the verified domains to what is known of them, `by_id` their ids. `suppresses`: there
    may be addresses that it does not send to. `others` are names that other accounts have verified, as far as they
    may lie under these. `identities` are the addresses that it may send from beside that, exactly these.
    """

    id: str
    name: str
    state: str
    reason: str
    daily_quota: int | None
    verified: Mapping[str, DomainInfo]
    by_id: Mapping[str, DomainInfo]
    suppresses: bool
    others: frozenset[str] = frozenset()
    plan: str = ""
    identities: Mapping[Address, IdentityInfo] = field(default_factory=dict)

    def covering(self, domain: str) -> DomainInfo | None:
        """The verified domain that `domain` (lower-case A-labels) is or lies under; of several the longest, and None
        when that is another account's (X06)."""
        while domain and domain not in self.others:
            found = self.verified.get(domain)
            if found is not None:
                return found
            domain = domain.partition(".")[2]
        return None

    def sending_domain(self, address: Address) -> DomainInfo | None:
        """The verified domain that signs what is sent from `address`: the one that covers it, or that of a sender
        identity; None when nobody here may send from it."""
        covering = self.covering(address.domain)
        if covering is not None:
            return covering
        identity = self.identity(address)
        return None if identity is None else self.by_id.get(identity.domain_id)

    def identity(self, address: Address) -> IdentityInfo | None:
        """The verified sender identity of this address. None if there is none, or its domain has become another
        account's (X06)."""
        found = self.identities.get(address)
        return None if found is None or self._is_foreign(address.domain) else found

    def _is_foreign(self, domain: str) -> bool:
        while domain and domain not in self.verified:
            if domain in self.others:
                return True
            domain = domain.partition(".")[2]
        return False

    def lies_under(self, domain: str, ids: Collection[str]) -> bool:
        """Whether `domain` (lower-case A-labels) is one of these verified domains, or lies under one."""
        while domain:
            found = self.verified.get(domain)
            if found is not None and found.id in ids:
                return True
            domain = domain.partition(".")[2]
        return False


def login_entry(user: SmtpUser, domain: Domain) -> Login:
    credential = Credential(
        user.id,
        user.username,
        user.account_id,
        user.domain_id,
        Stream(user.stream),
        user.refuse_suppressed,
        user.password_hash,
        frozenset(user.from_domains.split()) or None,
        caps_of(user),
    )
    networks = _networks(user.allowed_addresses)
    return Login(credential, user.enabled, domain.name, domain.smtp_enabled, networks, user.expires_at)


def bearer_entry(token: Token) -> Bearer:
    """Scopes that only a newer version knows are left out."""
    known = frozenset(Scope(scope) for scope in token.scopes.split() if scope in _SCOPES)
    return Bearer(
        token.id,
        token.name,
        token.account_id,
        None if token.domain_id is None else frozenset({token.domain_id}),
        known,
        token.paused,
        token.expires_at,
        _networks(token.allowed_addresses),
    )


def account_state(
    account: Account,
    owned: Iterable[Domain],
    *,
    suppresses: bool,
    others: frozenset[str] = frozenset(),
    identities: Iterable[SenderIdentity] = (),
) -> AccountState:
    verified = [_info(domain) for domain in owned if domain.verified_at is not None]
    return AccountState(
        id=account.id,
        name=account.name,
        state=account.state,
        reason=account.state_reason,
        daily_quota=account.daily_quota,
        verified={info.name: info for info in verified},
        by_id={info.id: info for info in verified},
        suppresses=suppresses,
        others=others,
        plan=account.plan,
        identities={_address(identity.email): _identity(identity) for identity in identities},
    )


def _info(domain: Domain) -> DomainInfo:
    settings = DomainSettings.decode(domain.settings)
    return DomainInfo(
        domain.id,
        domain.name,
        domain.mode,
        domain.strict_envelope,
        domain.keep_content,
        domain.return_path_host if domain.return_path_verified_at is not None else "",
        domain.send_paused,
        settings.precedence_bulk,
        settings.ignore_duplicated_recipients,
    )


def _identity(identity: SenderIdentity) -> IdentityInfo:
    reply_to = None
    if identity.reply_to_email:
        reply_to = Mailbox(identity.reply_to_name, _address(identity.reply_to_email))
    return IdentityInfo(identity.domain_id, identity.name, reply_to)


def _address(stored: str) -> Address:
    local, _, domain = stored.rpartition("@")
    return Address(local, domain)


def _networks(lines: str) -> tuple[Network, ...]:
    return tuple(ip_network(line, strict=False) for line in lines.split())


def _within(address: str, networks: Iterable[Network]) -> bool:
    """An IPv4 client may come as a mapped IPv6 address."""
    try:
        client = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(client, "ipv4_mapped", None) or client
    return any(client in network or mapped in network for network in networks)
