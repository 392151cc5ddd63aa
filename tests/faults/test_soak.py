"""The soak itself, for some seconds: it loads, looks and judges. Whether anything grows takes longer; `make soak`."""

from __future__ import annotations

import pytest

from faults import soak


@pytest.mark.slow
def test_a_short_soak_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "EVERY", 0.4)
    said: list[str] = []
    report = soak.soak(8, say=said.append)
    assert report.verdict.violations == []
    assert report.verdict.acknowledged > 50
    assert len(report.samples) >= 16
    soak.verdict(report, said.append)
    table = "\n".join(said)
    assert all(name in table for name in soak.ALLOWANCES)
