"""accept.rate: replies slow down up to ten seconds, then refuse."""

from postroom.accept.rate import GO, Rate


def test_no_limit_means_no_limit() -> None:
    rate = Rate()
    assert all(rate.take("a", None, 0.0) is GO for _ in range(10_000))


def test_a_minutes_worth_may_come_at_once_then_replies_slow_down_then_refuse() -> None:
    rate = Rate()
    assert all(rate.take("a", 60, 0.0).delay == 0 for _ in range(60))
    delays = [rate.take("a", 60, 0.0) for _ in range(12)]
    assert [pace.delay for pace in delays[:10]] == [float(second) for second in range(1, 11)]
    assert delays[10].refuse_for == delays[11].refuse_for == 2  # refused ones are not counted


def test_time_pays_the_debt() -> None:
    rate = Rate()
    for _ in range(70):
        rate.take("a", 60, 0.0)
    assert rate.take("a", 60, 0.0).refuse_for > 0
    assert rate.take("a", 60, 30.0).delay == 0


def test_accounts_do_not_share() -> None:
    rate = Rate()
    rate.take("a", 1, 0.0)
    assert rate.take("b", 1, 0.0).delay == 0
