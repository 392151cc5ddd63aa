"""What an account may ask of the API. Today every account has what the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from postroom.config import Api
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

    `suppressed_filter`: may filter activity by what was suppressed or deferred.
    """

    requests_per_day: int | None
    per_minute: dict[Area, int | None]
    suppressed_filter: bool


def entitlements(account: AccountState, settings: Api) -> Entitlements:
    """The one place that decides; a plan of the account would be asked here."""
    del account
    return Entitlements(
        settings.requests_per_day or None,
        {
            Area.EMAIL: settings.email_per_minute or None,
            Area.BULK: settings.bulk_per_minute or None,
            Area.ACTIVITY: settings.activity_per_minute or None,
            Area.VERIFICATION: settings.verification_per_minute or None,
            Area.OTHER: settings.other_per_minute or None,
        },
        settings.suppressed_filter,
    )
