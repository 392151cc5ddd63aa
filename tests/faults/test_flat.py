"""The rule by which a soak is judged, on series that are made up: half a minute, a sample a second."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from faults.flat import FEWEST, Series, trend

LEVEL, ALLOWANCE = 200.0, 8.0
Shape = Callable[[int], float]


def noise(second: int, width: float = 3.0) -> float:
    return random.Random(second).uniform(-width, width)


def made_up(shape: Shape, seconds: int = 30) -> Series:
    return [(float(second), shape(second)) for second in range(seconds)]


@pytest.mark.parametrize(
    "shape",
    [
        lambda second: LEVEL,
        lambda second: LEVEL + noise(second),
        lambda second: min(LEVEL, 20 * second),  # warms up
        lambda second: LEVEL + (500 if second % 10 == 7 else 0),  # spikes
        lambda second: LEVEL + 30 * (second % 5),  # saw teeth
        lambda second: LEVEL - 4 * second,  # gives back
        lambda second: LEVEL + second / 5,  # less than is allowed
        lambda second: 0.0,
    ],
    ids=["constant", "noisy", "warming up", "spikes", "saw teeth", "shrinking", "nearly", "nothing"],
)
def test_it_is_flat(shape: Shape) -> None:
    assert trend(made_up(shape), ALLOWANCE).flat


@pytest.mark.parametrize(
    "shape",
    [
        lambda second: LEVEL + 2 * second,
        lambda second: LEVEL + 2 * second + noise(second, 8),
        lambda second: LEVEL + (60 if second > 17 else 0),  # a step
        lambda second: LEVEL + 30 * (second // 5) + second % 5,  # stairs
        lambda second: max(0.0, 3.0 * (second - 14)),  # from nothing
        lambda second: LEVEL + 1.2**second,
    ],
    ids=["leak", "noisy leak", "step", "stairs", "from nothing", "ever faster"],
)
def test_it_is_not_flat(shape: Shape) -> None:
    assert not trend(made_up(shape), ALLOWANCE).flat


def test_what_it_says() -> None:
    seen = trend(made_up(lambda second: 100.0 + second), 1.0)
    assert seen.level == pytest.approx(118.0)  # of the lows
    assert seen.slope == pytest.approx(14.0, abs=2)
    assert seen.step == pytest.approx(7.0, abs=1)
    assert seen.allowed == pytest.approx(5.9)


def test_too_little_says_nothing() -> None:
    with pytest.raises(ValueError, match="7 samples"):
        trend(made_up(lambda second: LEVEL, 2 * FEWEST - 2), ALLOWANCE)
