import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { plain } from "../src/decimal";
import { sorted, standings } from "../src/standings";
import { ArenaStore, DECISIONS_MAX, TRADES_MAX } from "../src/stream/store";
import type { ArenaEvent } from "../src/stream/protocol";
import { AT, delta, fill, portfolio, snapshot } from "./events";

let store: ArenaStore;
beforeEach(() => {
  vi.useFakeTimers();
  store = new ArenaStore();
  store.setLink({ state: "live" });
  store.take(snapshot(0));
  vi.advanceTimersByTime(1_000);
});
afterEach(() => vi.useRealTimers());

const settle = () => vi.advanceTimersByTime(1_000);

const signal = (round: number, part: number): ArenaEvent => ({
  type: "signal_proposed", event_id: `signal-${round}-${part}`, competitor_id: "a", at: AT, round, part, parts: 2,
  action: "buy_to_enter", instrument: "BTC-USDT-PERP", quantity: "1", order_type: "market", limit_price: null, leverage: "5",
  exit_plan: null, confidence: null, justification: "",
});

describe("the store", () => {
  it("tells the page at most five times a second, however many frames come", () => {
    let told = 0;
    store.onPicture(() => (told += 1));
    for (let n = 1; n <= 500; n += 1) {
      store.take(delta(n, portfolio("a", n, "10000")));
      vi.advanceTimersByTime(10);
    }
    settle();
    expect(told).toBeGreaterThan(15);
    expect(told).toBeLessThanOrEqual(26);
    expect(store.picture().portfolios["a"]?.seq).toBe(500);
  });

  it("freezes the page while paused, counts what waits, and shows all of it afterwards", () => {
    store.setPaused(true);
    store.take(delta(1, portfolio("a", 1, "10100"), portfolio("b", 1, "9900")));
    store.take(delta(2, portfolio("a", 2, "10200")));
    settle();
    expect(store.picture().portfolios["a"]).toBeUndefined();
    expect(store.currentMood().waiting).toBe(3);
    store.setPaused(false);
    expect(store.picture().portfolios["a"]?.equity).toBe("10200");
    expect(store.currentMood().waiting).toBe(0);
  });

  it("passes over a portfolio older than the one it has", () => {
    store.take(delta(1, portfolio("a", 7, "10100"), portfolio("a", 6, "1")));
    settle();
    expect(store.picture().portfolios["a"]?.equity).toBe("10100");
  });

  it("keeps its rings bounded", () => {
    for (let n = 1; n <= 400; n += 1) store.take(delta(n, fill({ order_id: `o${n}` }), signal(n, 1)));
    settle();
    expect(store.picture().trades).toHaveLength(TRADES_MAX);
    expect(store.picture().trades[0]?.id).toBe("o400");
    expect(store.picture().decisions).toHaveLength(DECISIONS_MAX);
    expect(store.picture().decisions[0]?.round).toBe(400);
  });

  it("passes over events that it does not know", () => {
    store.take(delta(1, { type: "invented_later", at: AT } as unknown as ArenaEvent, portfolio("a", 1, "10001")));
    settle();
    expect(store.picture().portfolios["a"]?.equity).toBe("10001");
  });

  it("begins anew with a snapshot", () => {
    store.take(delta(1, fill({}), portfolio("a", 9, "1")));
    store.take(snapshot(5, { portfolios: { b: portfolio("b", 3, "10500") } }));
    settle();
    expect(store.picture().trades).toEqual([]);
    expect(Object.keys(store.picture().portfolios)).toEqual(["b"]);
  });
});

describe("a decision", () => {
  it("is put together from its parts and verdicts, whatever their order", () => {
    const rejected: ArenaEvent = {
      type: "signal_rejected", competitor_id: "a", at: AT, round: 3, signal_id: "signal-3-2", code: "LEVERAGE_ABOVE_MAX",
      value: "12", limit: "10", unit: "x", detail: "", checks: [],
    };
    store.take(delta(1, rejected, signal(3, 2), signal(3, 1)));
    settle();
    const [decision] = store.picture().decisions;
    expect(store.picture().decisions).toHaveLength(1);
    expect(decision?.parts.map((part) => part.part)).toEqual([1, 2]);
    expect(decision?.verdicts["signal-3-2"]).toMatchObject({ kind: "rejected", value: "12", limit: "10" });
  });

  it("of a stand-in says so until its competitor is asked for real", () => {
    const attempt = { model: "offline-llm", latency_ms: 0, offline: true };
    store.take(delta(1, { ...signal(3, 1), attempt } as ArenaEvent));
    settle();
    expect(store.picture().decisions[0]?.offline).toBe(true);
    expect(store.picture().offline["a"]).toBe(true);
    store.take(delta(2, { ...signal(4, 1), attempt: { ...attempt, offline: false } } as ArenaEvent));
    settle();
    expect(store.picture().decisions[0]?.offline).toBe(false);
    expect(store.picture().offline["a"]).toBe(false);
  });

  it("that was missed says why", () => {
    store.take(delta(1, { type: "decision_missed", competitor_id: "a", at: AT, round: 4, reason: "late", detail: "3 s" }));
    settle();
    expect(store.picture().decisions[0]?.missed).toEqual({ reason: "late", detail: "3 s" });
    expect(store.picture().lastMissed["a"]).toBe(4);
  });
});

describe("trades", () => {
  it("of one order are one line with the average price and the sum of the fees", () => {
    const first = fill({ quantity: "1", price: "100", position_after: "1", fee: "0.05" });
    store.take(delta(1, first, fill({ trade_id: "t2", quantity: "3", price: "101", position_after: "4", fee: "0.15" })));
    settle();
    const [trade] = store.picture().trades;
    expect(store.picture().trades).toHaveLength(1);
    // (1 * 100 + 3 * 101) / 4
    expect(trade && [trade.deed, plain(trade.quantity), plain(trade.price), plain(trade.fee)]).toEqual([
      "opened", "4", "100.750000000000", "0.20",
    ]);
  });

  it.each([
    ["sell", "1", "0", "closed", "long"],
    ["sell", "1", "2", "reduced", "long"],
    ["sell", "3", "-1", "flipped", "long"],
    ["sell", "1", "-1", "opened", "short"],
    ["sell", "1", "-2", "added", "short"],
    ["buy", "1", "0", "closed", "short"],
  ] as const)("%s %s to a position of %s: %s a %s", (side, quantity, position_after, deed, direction) => {
    store.take(delta(1, fill({ side, quantity, position_after })));
    settle();
    expect(store.picture().trades[0]).toMatchObject({ deed, direction });
  });

  it("that end a position find the closed trade", () => {
    const closed = {
      type: "trade_closed", trade_id: "x", competitor_id: "a", instrument: "BTC-USDT-PERP", direction: "long", quantity: "1",
      entry_price: "90", exit_price: "100", opened_at: AT, closed_at: AT, held_s: 60, gross: "10", fees: "0.1", funding: "0", net: "9.9",
    } as const;
    store.take(delta(1, closed, fill({ side: "sell", position_after: "0" })));
    settle();
    const { trades, closed: known } = store.picture();
    expect(known.get(`a/BTC-USDT-PERP/${trades[0]?.at}`)?.net).toBe("9.9");
  });
});

describe("standings", () => {
  it("rank by exact equity and follow from the portfolio", () => {
    const rest = { trades: 3, wins: 2, exposure_gross: "21000", fees: "12.5" };
    store.take(delta(1, portfolio("a", 1, "10500.000000000000000001", rest), portfolio("b", 1, "10500.000000000000000002")));
    settle();
    const rows = standings(store.picture());
    expect(rows.map((row) => row.competitor.competitor_id)).toEqual(["b", "a"]);
    const a = rows[1]!;
    expect(plain(a.returnRate)).toBe("0.050000000000");
    expect(plain(a.winRate!)).toBe("0.666666666667");
    expect(plain(a.exposure)).toBe("2.000000000000");
  });

  it("sort by any column, those without a value last when the greatest come first", () => {
    store.take(delta(1, portfolio("a", 1, "9000"), portfolio("b", 1, "11000", { trades: 2, wins: 1 })));
    settle();
    const rows = standings(store.picture());
    const ids = (list: typeof rows) => list.map((row) => row.competitor.competitor_id);
    expect(ids(sorted(rows, "equity", true))).toEqual(["a", "b"]);
    expect(ids(sorted(rows, "winRate", false))).toEqual(["b", "a"]);
    expect(ids(sorted(rows, "competitor", false))).toEqual(["b", "a"]);
  });
});
