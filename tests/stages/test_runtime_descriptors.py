"""runtime/descriptors.py"""

import resource

import pytest

from postroom.runtime.descriptors import WANTED, raise_limit


@pytest.mark.parametrize(
    ("soft", "hard", "allowed"),
    [
        (1024, 4096, 4096),
        (1024, 1_000_000, WANTED),
        (1024, resource.RLIM_INFINITY, WANTED),
        (100_000, 1_000_000, 100_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, WANTED),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    soft: int, hard: int, allowed: int, monkeypatch: pytest.MonkeyPatch
):
    limits = {resource.RLIMIT_NOFILE: (soft, hard)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    assert raise_limit() == allowed
    now, unchanged = limits[resource.RLIMIT_NOFILE]
    assert unchanged == hard
    assert now == (soft if soft in (resource.RLIM_INFINITY, 100_000) else allowed)
