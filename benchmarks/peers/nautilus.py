"""nautilus_trader's back-test engine on the file of `benchmarks.paper_venue_peers`; prints one JSON object.

Run by the interpreter of an environment that has nautilus_trader. A netting venue with a margin account, an L2 book,
queue positions and consumed liquidity, as the paper venue keeps them; no strategy looks at the data: timers submit the
orders. Risk engine and log are bypassed. Books come as the levels that changed, one `OrderBookDeltas` a snapshot.
"""

import json
import sys
import time
from decimal import Decimal
from typing import Any

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import BTC, ETH, USDT
from nautilus_trader.model.data import BookOrder, MarkPriceUpdate, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
    TimeInForce,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
TURNS = 3


def instrument(name: str) -> CryptoPerpetual:
    symbol = Symbol(name)
    return CryptoPerpetual(
        instrument_id=InstrumentId(symbol, VENUE), raw_symbol=symbol, base_currency=BTC if name[:3] == "BTC" else ETH,
        quote_currency=USDT, settlement_currency=USDT, is_inverse=False, price_precision=2, size_precision=3,
        price_increment=Price.from_str("0.01"), size_increment=Quantity.from_str("0.001"), ts_event=0, ts_init=0,
        margin_init=Decimal("0.05"), margin_maint=Decimal("0.01"), maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
    )  # fmt: skip


class Books:
    """What changed from one snapshot to the next."""

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, dict[str, str]]] = {}

    def deltas(self, id_: InstrumentId, said: dict[str, Any], ns: int) -> OrderBookDeltas | None:
        shown = self._shown.setdefault(said["i"], {"b": {}, "a": {}})
        changes = []
        for side, of in (("b", OrderSide.BUY), ("a", OrderSide.SELL)):
            now = dict(said[side])
            changes += [(BookAction.DELETE, of, price, "0") for price in shown[side] if price not in now]
            for price, size in now.items():
                if shown[side].get(price) != size:
                    changes.append((BookAction.UPDATE if price in shown[side] else BookAction.ADD, of, price, size))
            shown[side] = now
        rows = [
            OrderBookDelta(
                id_, action, BookOrder(of, Price(float(price), 2), Quantity(float(size), 3), 0),
                RecordFlag.F_LAST if n == len(changes) else 0, said["n"], ns, ns,
            )
            for n, (action, of, price, size) in enumerate(changes, 1)
        ]  # fmt: skip
        return OrderBookDeltas(id_, rows) if rows else None


def data_of(said: list[dict[str, Any]], named: dict[str, CryptoPerpetual]) -> list[Any]:
    books, data = Books(), []
    for each in said:
        id_, ns = named[each["i"]].id, each["t"] * 1_000
        match each["k"]:
            case "book":
                data.append(books.deltas(id_, each, ns))
            case "trade":
                side = AggressorSide.BUYER if each["s"] == "buy" else AggressorSide.SELLER
                price, size = Price(float(each["p"]), 2), Quantity(float(each["q"]), 3)
                data.append(TradeTick(id_, price, size, side, TradeId(str(each["n"])), ns, ns))
            case "mark":
                data.append(MarkPriceUpdate(id_, Price(float(each["p"]), 2), ns, ns))
    return [each for each in data if each is not None]


class Sender(Strategy):  # type: ignore[misc]
    def __init__(self, orders: list[dict[str, Any]], named: dict[str, CryptoPerpetual]) -> None:
        super().__init__()
        self.orders, self.named, self.fills = orders, named, 0

    def on_start(self) -> None:
        for n, each in enumerate(self.orders):
            self.clock.set_time_alert_ns(str(n), each["t"] * 1_000, self.send)

    def send(self, event: Any) -> None:
        each = self.orders[int(event.name)]
        id_, side = self.named[each["i"]].id, OrderSide.BUY if each["s"] == "buy" else OrderSide.SELL
        size = Quantity.from_str("0.010")
        if each["p"] is None:
            order = self.order_factory.market(id_, side, size, time_in_force=TimeInForce.IOC)
        else:
            order = self.order_factory.limit(id_, side, size, Price(float(each["p"]), 2))
        self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:  # noqa: ARG002
        self.fills += 1


def run(said: list[dict[str, Any]], orders: list[dict[str, Any]]) -> tuple[float, int]:
    """CPU seconds of the run alone; fills."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True), run_analysis=False
        )
    )
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDT)], base_currency=USDT,
        default_leverage=Decimal(5), book_type=BookType.L2_MBP, queue_position=True, liquidity_consumption=True,
    )  # fmt: skip
    named = {name: instrument(name) for name in sorted({each["i"] for each in said})}
    for each in named.values():
        engine.add_instrument(each)
    sender = Sender(orders, named)
    engine.add_strategy(sender)
    data = data_of(said, named)
    for kind in (OrderBookDeltas, TradeTick, MarkPriceUpdate):  # it looks at the first of a list for what the list is
        for id_ in (each.id for each in named.values()):
            engine.add_data([each for each in data if type(each) is kind and each.instrument_id == id_], sort=False)
    engine.sort_data()
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    fills = sender.fills
    engine.dispose()
    return spent, fills


def main() -> None:
    with open(sys.argv[1]) as file:
        said = [json.loads(line) for line in file]
    market, orders = [each for each in said if each["k"] != "order"], [each for each in said if each["k"] == "order"]
    runs = [run(market, orders) for _ in range(TURNS)]
    print(json.dumps({"version": nautilus_trader.__version__, "seconds": min(runs)[0], "fills": runs[0][1]}))


if __name__ == "__main__":
    main()
