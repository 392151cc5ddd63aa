"""What a person may do within an account, and the roles that bundle it. The names are those of the API reference.

A token has scopes instead (`types.scopes`): it is a machine's, and made by somebody who may.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    READ_ALL_TEMPLATES = "read-all-templates"
    READ_OWN_TEMPLATES = "read-own-templates"
    MANAGE_TEMPLATE = "manage-template"
    READ_FILEMANAGER = "read-filemanager"
    MANAGE_DOMAIN = "manage-domain"
    MANAGE_INBOUND = "manage-inbound"
    MANAGE_WEBHOOK = "manage-webhook"
    CONTROL_SENDINGS = "control-sendings"
    CONTROL_TRACKING_OPTIONS = "control-tracking-options"
    ACCESS_SMTP_CREDENTIALS = "access-smtp-credentials"
    VIEW_SMTP_USERS = "view-smtp-users"
    MANAGE_SMTP_USERS = "manage-smtp-users"
    READ_RECIPIENT = "read-recipient"
    READ_ACTIVITY = "read-activity"
    READ_EMAIL = "read-email"
    READ_ANALYTICS = "read-analytics"
    READ_SENDER_IDENTITIES = "read-sender-identities"
    MANAGE_SENDER_IDENTITIES = "manage-sender-identities"
    READ_EMAIL_VERIFICATION = "read-email-verification"
    MANAGE_EMAIL_VERIFICATION = "manage-email-verification"
    MANAGE_SMS = "manage-sms"
    READ_SMS = "read-sms"
    MANAGE_VERIFIED_RECIPIENTS = "manage-verified-recipients"
    VIEW_SMS_WEBHOOKS = "view-sms-webhooks"
    MANAGE_SMS_WEBHOOKS = "manage-sms-webhooks"
    VIEW_SMS_INBOUND = "view-sms-inbound"
    MANAGE_SMS_INBOUND = "manage-sms-inbound"
    UPDATE_PLAN = "update-plan"
    MANAGE_ACCOUNT = "manage-account"
    READ_INVOICE = "read-invoice"
    MANAGE_API_TOKEN = "manage-api-token"  # noqa: S105 - a name
    READ_SUPPRESSIONS = "read-suppressions"
    MANAGE_SUPPRESSIONS = "manage-suppressions"
    READ_IP_ADDRESSES = "read-ip-addresses"
    MANAGE_IP_ADDRESSES = "manage-ip-addresses"
    READ_ERROR_LOG = "read-error-log"


class Role(StrEnum):
    ADMIN = "Admin"
    MANAGER = "Manager"
    DESIGNER = "Designer"
    ACCOUNTANT = "Accountant"
    CUSTOM_USER = "Custom User"


_BILLING = {Permission.UPDATE_PLAN, Permission.READ_INVOICE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: frozenset(Permission) - _BILLING - {Permission.MANAGE_API_TOKEN, Permission.MANAGE_ACCOUNT},
    Role.DESIGNER: frozenset(
        {
            Permission.READ_ALL_TEMPLATES,
            Permission.READ_OWN_TEMPLATES,
            Permission.MANAGE_TEMPLATE,
            Permission.READ_FILEMANAGER,
        }
    ),
    Role.ACCOUNTANT: frozenset(_BILLING),
    Role.CUSTOM_USER: frozenset(),
}
"""What a role brings. A Custom User has what was chosen one by one, kept with the membership."""
