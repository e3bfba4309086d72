"""hftbacktest on the file of `benchmarks.paper_venue_peers`; prints one JSON object.

Run by the interpreter of an environment that has hftbacktest. Compiled code from end to end: the loop that submits the
orders is Numba's, the exchange Rust's. Queue positions, fees, no latency. It keeps balance and position, but no margin,
and knows no mark prices. A market order is a limit far through the book. An order fills whole: the model with partial
fills of 2.4.4 ends with an invalid order status on these orders.
"""

import json
import sys
import time
from typing import Any

import hftbacktest as h
import numpy as np
from numba import njit

TURNS = 3
SIZE = 0.01
SEEN = h.EXCH_EVENT | h.LOCAL_EVENT


def rows(said: list[dict[str, Any]]) -> np.ndarray:
    """What changed from one snapshot of the book to the next, and the trades; of one instrument."""
    found: list[tuple[int, int, int, float, float, int, int, float]] = []
    shown: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    for each in said:
        ns = each["t"] * 1_000
        if each["k"] == "trade":
            flag = SEEN | h.TRADE_EVENT | (h.BUY_EVENT if each["s"] == "buy" else h.SELL_EVENT)
            found.append((flag, ns, ns, float(each["p"]), float(each["q"]), 0, 0, 0.0))
        elif each["k"] == "book":
            for side, of in (("b", h.BUY_EVENT), ("a", h.SELL_EVENT)):
                now = dict(each[side])
                changes = {price: "0" for price in shown[side] if price not in now}
                changes |= {price: size for price, size in now.items() if shown[side].get(price) != size}
                flag = SEEN | h.DEPTH_EVENT | of
                found += [(flag, ns, ns, float(price), float(size), 0, 0, 0.0) for price, size in changes.items()]
                shown[side] = now
    return np.array(found, dtype=h.event_dtype)


def asset(data: np.ndarray, tick: float) -> h.BacktestAsset:
    return (
        h.BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0005)
        .tick_size(tick)
        .lot_size(0.001)
    )


@njit
def send(engine: Any, orders: np.ndarray) -> None:
    engine.elapse(1)  # the clock stands nowhere before
    for n in range(len(orders)):
        elapsed = int(orders[n, 0]) - engine.current_timestamp
        if elapsed > 0:
            engine.elapse(elapsed)
        number, price = int(orders[n, 1]), orders[n, 3]
        if orders[n, 2] > 0:
            engine.submit_buy_order(number, n + 1, price, SIZE, h.GTC, h.LIMIT, False)
        else:
            engine.submit_sell_order(number, n + 1, price, SIZE, h.GTC, h.LIMIT, False)
        engine.clear_inactive_orders(number)
    engine.elapse(10**12)


def run(books: list[np.ndarray], orders: np.ndarray) -> tuple[float, int]:
    """CPU seconds of the run alone; fills."""
    engine = h.HashMapMarketDepthBacktest([asset(data, 0.01) for data in books])
    began = time.process_time()
    send(engine, orders)
    spent = time.process_time() - began
    if int(engine.current_timestamp) < orders[-1, 0]:
        sys.exit("hftbacktest ended before the last order")
    fills = sum(int(engine.state_values(n).num_trades) for n in range(len(books)))
    engine.close()
    return spent, fills


def main() -> None:
    with open(sys.argv[1]) as file:
        said = [json.loads(line) for line in file]
    names = sorted({each["i"] for each in said})
    books = [rows([each for each in said if each["i"] == name]) for name in names]
    begins = min(int(data["local_ts"][0]) for data in books)
    orders = np.array(
        [
            (each["t"] * 1_000, names.index(each["i"]), 1 if each["s"] == "buy" else -1, worst(each))
            for each in said
            if each["k"] == "order" and each["t"] * 1_000 > begins
        ]
    )
    run([data[:1_000] for data in books], orders[:1])  # compiles
    runs = [run(books, orders) for _ in range(TURNS)]
    print(json.dumps({"version": h.__version__, "seconds": min(runs)[0], "fills": runs[0][1]}))


def worst(order: dict[str, Any]) -> float:
    if order["p"] is not None:
        return float(order["p"])
    return 1e6 if order["s"] == "buy" else 0.01


if __name__ == "__main__":
    main()
