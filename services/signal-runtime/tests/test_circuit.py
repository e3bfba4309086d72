from signal_runtime.core.circuit import Circuit, Health, Policy, admitted, after, state

POLICY = Policy(failures_max=3, open_s=30)


def after_all(*outcomes: Health, now_s: float = 0.0) -> Circuit:
    circuit = Circuit()
    for outcome in outcomes:
        circuit = after(circuit, POLICY, outcome, now_s)
    return circuit


def test_failures_in_a_row_open_it_and_one_success_between_them_does_not_let_it() -> None:
    assert state(after_all("failed", "failed", "failed"), POLICY, 0) == "open"
    assert state(after_all("failed", "failed", "served", "failed", "failed"), POLICY, 0) == "closed"


def test_a_call_nobody_waited_for_says_nothing_of_the_provider() -> None:
    assert state(after_all("failed", "unknown", "failed", "unknown"), POLICY, 0) == "closed"


def test_while_it_is_open_nothing_is_admitted_and_after_a_while_exactly_one_call() -> None:
    opened = after_all("failed", "failed", "failed", now_s=100)

    assert admitted(opened, POLICY, 129.9) is None
    trying = admitted(opened, POLICY, 130)
    assert trying is not None
    assert admitted(trying, POLICY, 131) is None


def test_the_trial_closes_it_or_opens_it_anew_from_then() -> None:
    trying = admitted(after_all("failed", "failed", "failed", now_s=100), POLICY, 130)
    assert trying is not None

    assert after(trying, POLICY, "served", 140) == Circuit()
    for outcome in ("failed", "unknown"):
        again = after(trying, POLICY, outcome, 140)
        assert (state(again, POLICY, 169), state(again, POLICY, 170)) == ("open", "half_open")
        assert admitted(again, POLICY, 170) is not None


def test_failures_that_were_on_their_way_when_it_opened_do_not_keep_it_open_for_longer() -> None:
    opened = after_all("failed", "failed", "failed", now_s=100)

    assert state(after(opened, POLICY, "failed", 120), POLICY, 130) == "half_open"
