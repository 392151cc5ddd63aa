"""Is a series of samples flat? The rule by which a soak is judged.

The first half is for warming up: caches fill, connections open. Of the later half the lows count (the least of some
samples in a row), as what comes and goes is no leak: saw teeth, spikes. They must show no trend: neither by their slope
(the median of the slopes between any two) nor between the third quarter and the last. A trend is more than an
allowance, or more than a twentieth of what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

RELATIVE = 0.05
FEWEST = 8
"""Samples in the later half; with fewer there is nothing to be seen."""
ROW = 5
"""Samples of which the least counts."""

Series = Sequence[tuple[float, float]]
"""(seconds, value), in order."""


@dataclass(frozen=True)
class Trend:
    """`level` is the median of the later half, `slope` its growth as a whole by the slope, `step` that from its first
    to its second quarter, `allowed` what either may be."""

    level: float
    slope: float
    step: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.slope <= self.allowed and self.step <= self.allowed


def trend(series: Series, allowance: float) -> Trend:
    """Raises ValueError when there are too few samples."""
    later = series[len(series) // 2 :]
    if len(later) < FEWEST:
        raise ValueError(f"{len(later)} samples in the later half; {FEWEST} are needed")
    lows = [
        (at, min(value for _, value in later[max(0, i - ROW + 1) : i + 1])) for i, (at, _) in enumerate(later)
    ]
    values = [value for _, value in lows]
    slopes = [(v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in combinations(lows, 2) if t2 > t1]
    middle = len(values) // 2
    level = median(values)
    return Trend(
        level=level,
        slope=median(slopes) * (later[-1][0] - later[0][0]),
        step=median(values[middle:]) - median(values[:middle]),
        allowed=max(allowance, RELATIVE * level),
    )
