"""What TopicInputs makes of what the topics hold; the topics themselves are read in test_on_real_parts."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from contracts.base import Event
from contracts.portfolios import PortfolioUpdated
from signal_runtime.core.view import View
from signal_runtime.inputs import Gone, TopicInputs
from signal_runtime.testing import BTC, ETH, competitor, market, portfolio, request, season, snapshot, spec


class Held:
    """A reader that holds what it was given."""

    def __init__(self, key: Any, *events: Event) -> None:
        self._latest = {key(event): event for event in events}

    def get(self, key: Any) -> Any:
        return self._latest.get(key)

    async def wait(self, predicate: Any, timeout_s: float) -> Any:
        if (found := predicate()) is None:
            raise TimeoutError
        return found


def marked(seconds: int) -> PortfolioUpdated:
    """Caused by a mark, so many seconds after the opening of round 2."""
    at = portfolio(number=2).at + timedelta(seconds=seconds)
    return portfolio(number=2).model_copy(update={"round": None, "cause": "mark", "at": at, "equity": Decimal(9_999)})


async def shown(*portfolios: PortfolioUpdated, snapshots: tuple[int, ...] = (2,)) -> View:
    inputs = TopicInputs("127.0.0.1:1")
    held: dict[str, Any] = {
        "_competition": Held(lambda event: event.key, season(), competitor()),
        "_instruments": Held(lambda event: event.key, spec(BTC), spec(ETH)),
        "_snapshots": Held(
            lambda event: event.round % 16, *[snapshot(market(), number=number) for number in snapshots]
        ),
        "_portfolios": Held(lambda event: (event.season_id, event.competitor_id, event.round is not None), *portfolios),
    }
    for name, reader in held.items():
        setattr(inputs, name, reader)
    return await inputs.view(request(number=2, of=snapshot(market(), number=2)), season(), 1)


async def test_a_view_is_of_the_rounds_own_snapshot_and_portfolio() -> None:
    view = await shown(portfolio(number=2), marked(5), snapshots=(1, 2))

    assert (view.snapshot.round, view.portfolio.round, view.portfolio.equity) == (2, 2, 10_000)
    assert set(view.specs) == {BTC, ETH}


async def test_a_later_portfolio_has_to_do_where_the_rounds_own_was_compacted_away() -> None:
    assert (await shown(portfolio(number=1), marked(1))).portfolio.equity == 9_999


@pytest.mark.parametrize("portfolios", [[], [portfolio(number=1)], [portfolio(number=1), marked(0)]])
async def test_an_earlier_portfolio_is_waited_past(portfolios: list[PortfolioUpdated]) -> None:
    with pytest.raises(TimeoutError):
        await shown(*portfolios)


async def test_a_snapshot_of_an_earlier_round_is_waited_past() -> None:
    with pytest.raises(TimeoutError):
        await shown(portfolio(number=2), snapshots=(1,))


async def test_a_round_whose_inputs_gave_way_to_later_ones_is_gone() -> None:
    with pytest.raises(Gone, match="portfolio of round 2: it is round 3 already"):
        await shown(portfolio(number=3))
    with pytest.raises(Gone, match="snapshot of round 2: it is round 18 already"):
        await shown(portfolio(number=2), snapshots=(2, 18))
