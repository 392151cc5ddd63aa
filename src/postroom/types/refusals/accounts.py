"""Refusals about accounts: what their plan does not allow, and what they ask the operator for."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

PLAN_LIMIT = Rule(
    "plan-limit",
    0,
    "",
    422,
    "The account has {most} {what} already, and may not have more.",
    what="An account may have a limited number of these; its plan may say how many.",
    fix="Delete one that is not used, or ask the operator for another plan. Operator: postroom account plan.",
)
PLAN_FEATURE = Rule(
    "plan-feature",
    0,
    "",
    422,
    "The account's plan does not include {feature}.",
    what="The request uses something that the account's plan leaves out.",
    fix="Leave it out, or ask the operator for another plan. Operator: postroom account plan.",
)
PLAN_UNKNOWN = Rule(
    "plan-unknown",
    0,
    "",
    422,
    "The configuration has no plan {plan}.",
    what="Plans are tables of the configuration file; each node reads them when it starts.",
    fix="Choose one of the plans there are, or add [plans.NAME] to the configuration and restart.",
)
NOT_SUSPENDED = Rule(
    "not-suspended",
    0,
    "",
    422,
    "The account {account} is not suspended.",
    what="Only a suspension can be lifted.",
    fix="Nothing. An account that was never approved is approved instead.",
)
ALREADY_APPROVED = Rule(
    "already-approved",
    0,
    "",
    422,
    "The account {account} is approved already.",
    what="The account asked to be approved, and it is.",
    fix="Nothing: it may send.",
)
REQUEST_OPEN = Rule(
    "request-open",
    0,
    "",
    422,
    "A request like this waits for a decision already.",
    what="An account asks for one thing once; the operator has not decided yet.",
    fix="Wait for the decision. It is mailed to the Admins of the account.",
)
REQUEST_DECIDED = Rule(
    "request-decided",
    0,
    "",
    422,
    "The request was decided already.",
    what="Somebody else was quicker, or the account was approved in another way.",
    fix="Look at the request again to see the decision.",
)
