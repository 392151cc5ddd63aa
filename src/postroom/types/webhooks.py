"""What a webhook can be told. The names are those of the API reference."""

from __future__ import annotations

from enum import StrEnum


class WebhookEvent(StrEnum):
    """All that the reference knows, also what nothing causes yet: whoever moves in brings their lists along."""

    ACTIVITY_SENT = "activity.sent"
    ACTIVITY_DELIVERED = "activity.delivered"
    ACTIVITY_SOFT_BOUNCED = "activity.soft_bounced"
    ACTIVITY_HARD_BOUNCED = "activity.hard_bounced"
    ACTIVITY_DEFERRED = "activity.deferred"
    ACTIVITY_OPENED = "activity.opened"
    ACTIVITY_OPENED_UNIQUE = "activity.opened_unique"
    ACTIVITY_CLICKED = "activity.clicked"
    ACTIVITY_CLICKED_UNIQUE = "activity.clicked_unique"
    ACTIVITY_UNSUBSCRIBED = "activity.unsubscribed"
    ACTIVITY_SPAM_COMPLAINT = "activity.spam_complaint"
    ACTIVITY_SUPPRESSED = "activity.suppressed"
    ACTIVITY_SURVEY_OPENED = "activity.survey_opened"
    ACTIVITY_SURVEY_SUBMITTED = "activity.survey_submitted"
    SENDER_IDENTITY_VERIFIED = "sender_identity.verified"
    MAINTENANCE_START = "maintenance.start"
    MAINTENANCE_END = "maintenance.end"
    INBOUND_FORWARD_FAILED = "inbound_forward.failed"
    INBOUND_MESSAGE_REJECTED = "inbound_message.rejected"
    EMAIL_SINGLE_VERIFIED = "email_single.verified"
    EMAIL_LIST_VERIFIED = "email_list.verified"
    BULK_EMAIL_COMPLETED = "bulk_email.completed"
    RECIPIENT_ON_HOLD_ADDED = "recipient.on_hold_added"
    RECIPIENT_ON_HOLD_REMOVED = "recipient.on_hold_removed"
