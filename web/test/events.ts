// Events as short as a test needs them.
import type { ArenaEvent, Competitor, Fill, Frame, Portfolio, Season, Snapshot } from "../src/stream/protocol";

export const AT = "2026-11-22T14:00:00Z";

export const season: Season = {
  season_id: "s",
  name: "Season 1",
  venue: "synthetic",
  clock: "lockstep",
  starts_at: "2026-11-22T12:00:00Z",
  ends_at: null,
  rules: {
    instruments: ["BTC-USDT-PERP"], capital: "10000", cadence_s: 180, deadline_s: 60, execution: "deadline", latency_ms: 0,
    leverage_max: "10", order_notional_max: "20000", position_notional_max: "40000", positions_max: 6, price_band: "0.02",
    price_stale_s: 10, maker_fee_rate: null, taker_fee_rate: null,
  },
  rules_sha256: "a".repeat(64),
};

export const competitor = (id: string): Competitor => ({
  competitor_id: id, name: id.toUpperCase(), mark: "AA", hue: 0, kind: "quant", model: "m", owner: "arena", version: "1",
  config_sha256: "a".repeat(64), active: true,
});

export const portfolio = (id: string, seq: number, equity: string, rest: Partial<Portfolio> = {}): Portfolio & { type: "portfolio_updated" } => ({
  type: "portfolio_updated", competitor_id: id, at: AT, seq, capital: "10000", equity, cash: equity, realised_pnl: "0",
  unrealised_pnl: "0", fees: "0", funding: "0", margin_used: "0", margin_available: equity, exposure_gross: "0",
  exposure_net: "0", positions: [], trades: 0, wins: 0, fills: 0, max_drawdown: "0", books_balanced: true, ...rest,
});

export const fill = (rest: Partial<Fill>): Fill & { type: "order_filled" } => ({
  type: "order_filled", event_id: "e", competitor_id: "a", at: AT, order_id: "o", trade_id: "t", instrument: "BTC-USDT-PERP",
  round: 1, side: "buy", price: "100", quantity: "1", fee: "0.05", liquidity: "taker", purpose: "decision", position_after: "1",
  ...rest,
});

export const snapshot = (seq: number, rest: Partial<Snapshot> = {}): Frame => ({
  type: "snapshot", seq, epoch: "e1", sent_at: AT, at: AT,
  data: {
    season, competitors: [competitor("a"), competitor("b")], leaderboard: [], portfolios: {}, equity: {}, trades: [],
    marks: {}, decisions: [], ...rest,
  },
});

export const delta = (seq: number, ...events: ArenaEvent[]): Frame => ({
  type: "delta", seq, sent_at: AT, at: AT, changes: events.map((data) => ({ kind: data.type, data })),
});
