"""What an API token may do. The names are those of the API reference and never change."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from postroom.types.permissions import Permission


class Scope(StrEnum):
    """`x_full` allows everything in an area, `x_read` only to look."""

    EMAIL_FULL = "email_full"
    DOMAINS_READ = "domains_read"
    DOMAINS_FULL = "domains_full"
    ACTIVITY_READ = "activity_read"
    ACTIVITY_FULL = "activity_full"
    ANALYTICS_READ = "analytics_read"
    ANALYTICS_FULL = "analytics_full"
    TOKENS_FULL = "tokens_full"
    WEBHOOKS_FULL = "webhooks_full"
    TEMPLATES_FULL = "templates_full"
    SUPPRESSIONS_READ = "suppressions_read"
    SUPPRESSIONS_FULL = "suppressions_full"
    SMS_READ = "sms_read"
    SMS_FULL = "sms_full"
    WHATSAPP_READ = "whatsapp_read"
    WHATSAPP_FULL = "whatsapp_full"
    EMAIL_VERIFICATION_READ = "email_verification_read"
    EMAIL_VERIFICATION_FULL = "email_verification_full"
    INBOUNDS_FULL = "inbounds_full"
    RECIPIENTS_READ = "recipients_read"
    RECIPIENTS_FULL = "recipients_full"
    SENDER_IDENTITY_READ = "sender_identity_read"
    SENDER_IDENTITY_FULL = "sender_identity_full"
    USERS_READ = "users_read"
    USERS_FULL = "users_full"
    SMTP_USERS_READ = "smtp_users_read"
    SMTP_USERS_FULL = "smtp_users_full"
    DMARC_MONITORING_READ = "dmarc_monitoring_read"
    DMARC_MONITORING_FULL = "dmarc_monitoring_full"
    BLOCKLIST_MONITORING_READ = "blocklist_monitoring_read"
    BLOCKLIST_MONITORING_FULL = "blocklist_monitoring_full"


NEEDS: dict[Scope, frozenset[Permission]] = {
    scope: frozenset(permissions)
    for scope, permissions in {
        Scope.EMAIL_FULL: {Permission.CONTROL_SENDINGS, Permission.READ_EMAIL},
        Scope.DOMAINS_READ: {Permission.MANAGE_DOMAIN, Permission.READ_RECIPIENT},
        Scope.DOMAINS_FULL: {Permission.MANAGE_DOMAIN, Permission.READ_RECIPIENT},
        Scope.ACTIVITY_READ: {Permission.READ_ACTIVITY, Permission.READ_EMAIL, Permission.READ_ERROR_LOG},
        Scope.ACTIVITY_FULL: {Permission.READ_ACTIVITY, Permission.READ_EMAIL, Permission.READ_ERROR_LOG},
        Scope.ANALYTICS_READ: {Permission.READ_ANALYTICS},
        Scope.ANALYTICS_FULL: {Permission.READ_ANALYTICS},
        Scope.TOKENS_FULL: {Permission.MANAGE_API_TOKEN},
        Scope.WEBHOOKS_FULL: {Permission.MANAGE_WEBHOOK},
        Scope.TEMPLATES_FULL: {Permission.READ_ALL_TEMPLATES, Permission.MANAGE_TEMPLATE},
        Scope.SUPPRESSIONS_READ: {Permission.READ_SUPPRESSIONS},
        Scope.SUPPRESSIONS_FULL: {Permission.READ_SUPPRESSIONS, Permission.MANAGE_SUPPRESSIONS},
        Scope.SMS_READ: {Permission.READ_SMS, Permission.VIEW_SMS_WEBHOOKS, Permission.VIEW_SMS_INBOUND},
        Scope.SMS_FULL: {
            Permission.READ_SMS,
            Permission.VIEW_SMS_WEBHOOKS,
            Permission.VIEW_SMS_INBOUND,
            Permission.MANAGE_SMS,
            Permission.MANAGE_SMS_WEBHOOKS,
            Permission.MANAGE_SMS_INBOUND,
            Permission.MANAGE_VERIFIED_RECIPIENTS,
        },
        Scope.WHATSAPP_READ: {Permission.READ_SMS},
        Scope.WHATSAPP_FULL: {Permission.READ_SMS, Permission.MANAGE_SMS},
        Scope.EMAIL_VERIFICATION_READ: {Permission.READ_EMAIL_VERIFICATION},
        Scope.EMAIL_VERIFICATION_FULL: {
            Permission.READ_EMAIL_VERIFICATION,
            Permission.MANAGE_EMAIL_VERIFICATION,
        },
        Scope.INBOUNDS_FULL: {Permission.MANAGE_INBOUND},
        Scope.RECIPIENTS_READ: {Permission.READ_RECIPIENT},
        Scope.RECIPIENTS_FULL: {Permission.READ_RECIPIENT, Permission.MANAGE_SUPPRESSIONS},
        Scope.SENDER_IDENTITY_READ: {Permission.READ_SENDER_IDENTITIES},
        Scope.SENDER_IDENTITY_FULL: {Permission.READ_SENDER_IDENTITIES, Permission.MANAGE_SENDER_IDENTITIES},
        Scope.USERS_READ: {Permission.MANAGE_ACCOUNT},
        Scope.USERS_FULL: set(Permission),
        Scope.SMTP_USERS_READ: {Permission.VIEW_SMTP_USERS},
        Scope.SMTP_USERS_FULL: {
            Permission.VIEW_SMTP_USERS,
            Permission.MANAGE_SMTP_USERS,
            Permission.ACCESS_SMTP_CREDENTIALS,
        },
        Scope.DMARC_MONITORING_READ: {Permission.MANAGE_DOMAIN},
        Scope.DMARC_MONITORING_FULL: {Permission.MANAGE_DOMAIN},
        Scope.BLOCKLIST_MONITORING_READ: {Permission.MANAGE_DOMAIN},
        Scope.BLOCKLIST_MONITORING_FULL: {Permission.MANAGE_DOMAIN},
    }.items()
}
"""What a person must have, all of it, to give a token a scope: whatever the scope opens they could do themselves. A token
may hand on its own scopes. `users_full` makes people, up to Admins, so only who has everything gives it.
"""


def with_reading(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """These, and for each `x_full` the `x_read` that it includes."""
    named = set(scopes)
    return frozenset(scope for scope in Scope if scope in named or scope.replace("_read", "_full") in named)
