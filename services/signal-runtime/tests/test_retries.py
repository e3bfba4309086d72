import pytest
from signal_runtime.core.retries import Again, Outcome, Over, Policy, after

POLICY = Policy(calls_max=3, backoff_s=1.0, call_s_min=1.0)


def told(*outcomes: Outcome, left_s: float = 60.0, retry_after_s: float | None = None, seed: str = "s") -> Again | Over:
    return after(outcomes, POLICY, left_s=left_s, retry_after_s=retry_after_s, seed=seed)


@pytest.mark.parametrize("outcome", ["unreachable", "rate_limited", "server_error", "unreadable"])
def test_what_may_pass_is_tried_again_until_the_budget_is_used(outcome: Outcome) -> None:
    assert isinstance(told(outcome), Again)
    assert isinstance(told(outcome, outcome), Again)
    assert told(outcome, outcome, outcome) == Over("provider_error", f"{outcome}, called 3 times")


def test_waits_double_and_are_spread_by_up_to_half() -> None:
    first = [told("server_error", seed=str(n)) for n in range(50)]
    second = [told("server_error", "server_error", seed=str(n)) for n in range(50)]

    # One second, then two, each times 0.5 up to 1.5.
    assert all(isinstance(each, Again) and 0.5 <= each.wait_s < 1.5 for each in first)
    assert all(isinstance(each, Again) and 1.0 <= each.wait_s < 3.0 for each in second)
    assert len(set(map(str, first))) > 40


def test_retry_after_is_honoured_where_the_deadline_leaves_room_for_it() -> None:
    assert told("rate_limited", retry_after_s=20) == Again(20)
    # 59.5 s of 60 leave half a second, less than the second a call is worth.
    assert told("rate_limited", retry_after_s=59.5) == Over(
        "provider_error", "rate_limited, and the deadline comes before another call after 59.5 s"
    )


@pytest.mark.parametrize(
    ("outcome", "reason"), [("refused", "provider_error"), ("too_long", "malformed"), ("timeout", "timeout")]
)
def test_what_will_not_pass_is_not_tried_again(outcome: Outcome, reason: str) -> None:
    over = told(outcome)

    assert isinstance(over, Over)
    assert over.reason == reason
