"""What an account may ask of the API. Today every account has what the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from postroom.config import Api, Config
from postroom.tenancy.entries import AccountState


class Area(StrEnum):
    """Endpoints that share one limit per minute."""

    EMAIL = "email"
    BULK = "bulk"
    ACTIVITY = "activity"
    VERIFICATION = "verification"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """`requests_per_day` and each of `per_minute`: None means no limit.

    `suppressed_filter`: may filter activity by what was suppressed or deferred. `domains`: how many it may have, None:
    as many as anybody.
    """

    requests_per_day: int | None
    per_minute: dict[Area, int | None]
    suppressed_filter: bool
    domains: int | None


def entitlements(account: AccountState, config: Config) -> Entitlements:
    """The one place that decides; a plan of the account would be asked here."""
    del account
    return Entitlements(
        config.api.requests_per_day or None,
        per_minute(config.api),
        config.api.suppressed_filter,
        config.domains.spaces or None,
    )


def per_minute(settings: Api) -> dict[Area, int | None]:
    """The limits of an account that has no others; the reference names them."""
    return {
        Area.EMAIL: settings.email_per_minute or None,
        Area.BULK: settings.bulk_per_minute or None,
        Area.ACTIVITY: settings.activity_per_minute or None,
        Area.VERIFICATION: settings.verification_per_minute or None,
        Area.OTHER: settings.other_per_minute or None,
    }
