"""The contract's numbers for entries of our catalogue. They end a text: "... #MS40304"."""

from __future__ import annotations

from postroom.types import refusals
from postroom.types.refusals import Rule

_CODES: dict[Rule, int] = {
    refusals.BULK_MALFORMED: 40001,
    refusals.TOKEN_SCOPE: 40301,
    refusals.PERMISSION_MISSING: 40301,
    refusals.NO_ACCOUNT: 40303,
    refusals.ACCOUNT_UNAPPROVED: 40303,
    refusals.ACCOUNT_SUSPENDED: 40304,
    refusals.TOKEN_ADDRESS: 40305,
    refusals.DAILY_QUOTA: 42204,
    refusals.TOO_MANY_RECIPIENTS: 42205,
    refusals.FROM_NOT_VERIFIED: 42207,
    refusals.PLAN_FEATURE: 42216,
    refusals.JSON_SYNTAX: 42227,
    refusals.JSON_REFUSED: 42228,
    refusals.BULK_TOO_MANY: 42229,
    refusals.BULK_EMPTY: 42230,
    refusals.BULK_ITEM_INVALID: 42231,
    refusals.FILTER_NOT_ALLOWED: 42240,
    refusals.REQUEST_QUOTA: 42901,
    refusals.REQUEST_RATE: 42903,
    refusals.RATE_LIMIT: 42903,
    refusals.BULK_OBJECT_FAILED: 5001,
}
_BY_ID = {rule.id: f" #MS{number}" for rule, number in _CODES.items()}


def code_of(rule_id: str) -> str:
    """` #MS42901`, or nothing."""
    return _BY_ID.get(rule_id, "")
