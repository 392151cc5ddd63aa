"""What a preflight says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postroom.types.refusals import Refused


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`id` names the check, `rule` the entry of the catalogue when the message would be refused. `fix` is "" when there
    is nothing to mend."""

    id: str
    verdict: Verdict
    evidence: str
    fix: str = ""
    rule: str = ""

    @classmethod
    def passed(cls, id: str, evidence: str) -> Finding:
        return cls(id, Verdict.PASS, evidence)

    @classmethod
    def refused(cls, id: str, why: Refused) -> Finding:
        return cls(id, Verdict.FAIL, why.text, why.rule.fix, why.rule.id)


@dataclass(slots=True)
class Report:
    """Findings in the order in which the message would meet the checks."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether the message would be accepted now."""
        return not any(finding.rule for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        found = {finding.verdict for finding in self.findings}
        return next((one for one in (Verdict.FAIL, Verdict.WARN) if one in found), Verdict.PASS)

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)
