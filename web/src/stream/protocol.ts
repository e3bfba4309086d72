// The frames of `/ws` and the events in them. Decimals are strings, times RFC 3339.

export interface Rules {
  instruments: string[];
  capital: string;
  cadence_s: number;
  deadline_s: number;
  execution: "deadline" | "as_decided";
  latency_ms: number;
  leverage_max: string;
  order_notional_max: string;
  position_notional_max: string;
  positions_max: number;
  price_band: string | null;
  price_stale_s: number;
  maker_fee_rate: string | null;
  taker_fee_rate: string | null;
}

export interface Season {
  season_id: string;
  name: string;
  venue: string;
  clock: "lockstep" | "live";
  starts_at: string;
  ends_at: string | null;
  rules: Rules;
  rules_sha256: string;
}

export interface Competitor {
  competitor_id: string;
  name: string;
  mark: string;
  hue: number;
  kind: "llm" | "quant" | "baseline" | "external";
  model: string;
  owner: string;
  version: string;
  config_sha256: string;
  active: boolean;
}

export interface ExitPlan {
  take_profit: string | null;
  stop_loss: string | null;
  trigger: string;
  invalidation: string;
}

export interface Position {
  instrument: string;
  quantity: string;
  entry_price: string;
  mark_price: string;
  notional: string;
  unrealised_pnl: string;
  leverage: string;
  margin: string;
  liquidation_price: string | null;
  opened_at: string;
  exit_plan: ExitPlan | null;
}

export interface Portfolio {
  competitor_id: string;
  at: string;
  seq: number;
  capital: string;
  equity: string;
  cash: string;
  realised_pnl: string;
  unrealised_pnl: string;
  fees: string;
  funding: string;
  margin_used: string;
  margin_available: string;
  exposure_gross: string;
  exposure_net: string;
  positions: Position[];
  trades: number;
  wins: number;
  fills: number;
  max_drawdown: string;
  books_balanced: boolean;
}

export interface LeaderboardRow {
  rank: number;
  competitor_id: string;
  equity: string;
  return_rate: string;
  pnl: string;
  realised_pnl: string;
  unrealised_pnl: string;
  fees: string;
  funding: string;
  max_drawdown: string;
  win_rate: string | null;
  trades: number;
  fills: number;
  exposure_gross: string;
  exposure_net: string;
}

export interface Mark {
  instrument: string;
  at: string;
  mark_price: string;
  last_price?: string | null;
  funding_rate?: string | null;
  next_funding_at?: string | null;
}

export type Purpose = "decision" | "take_profit" | "stop_loss" | "invalidation" | "liquidation" | "flatten";

export interface Fill {
  event_id: string;
  competitor_id: string;
  at: string;
  order_id: string;
  trade_id: string;
  instrument: string;
  round: number | null;
  side: "buy" | "sell";
  price: string;
  quantity: string;
  fee: string;
  liquidity: "maker" | "taker";
  purpose: Purpose;
  position_after: string;
}

/** One position from its first fill to flat: net = gross - fees - funding. */
export interface ClosedTrade {
  trade_id: string;
  competitor_id: string;
  instrument: string;
  direction: "long" | "short";
  quantity: string;
  entry_price: string;
  exit_price: string;
  opened_at: string;
  closed_at: string;
  held_s: number;
  gross: string;
  fees: string;
  funding: string;
  net: string;
}

export interface Signal {
  event_id: string;
  competitor_id: string;
  at: string;
  round: number;
  part: number;
  parts: number;
  action: "hold" | "buy_to_enter" | "sell_to_enter" | "close_position";
  instrument: string | null;
  quantity: string | null;
  order_type: "market" | "limit";
  limit_price: string | null;
  leverage: string | null;
  exit_plan: ExitPlan | null;
  confidence: string | null;
  justification: string;
  attempt?: Attempt | null;
}

/** How the answer was come by. */
export interface Attempt {
  model: string;
  latency_ms: number;
  offline: boolean;
}

export interface Missed {
  competitor_id: string;
  at: string;
  round: number;
  reason: string;
  detail: string;
  attempt?: Attempt | null;
}

export interface Check {
  rule: string;
  passed: boolean;
  value: string | null;
  limit: string | null;
  unit: string;
}

export interface Approved {
  event_id: string;
  competitor_id: string;
  at: string;
  round: number;
  signal_id: string;
  part: number;
  quantity: string;
  checks: Check[];
}

export interface Rejected {
  competitor_id: string;
  at: string;
  round: number;
  signal_id: string;
  code: string;
  value: string | null;
  limit: string | null;
  unit: string;
  detail: string;
  checks: Check[];
}

export type ArenaEvent =
  | ({ type: "season_changed" } & Season)
  | { type: "phase_changed"; phase: string }
  | ({ type: "competitor_registered" } & Competitor)
  | ({ type: "portfolio_updated" } & Portfolio)
  | { type: "leaderboard_updated"; at: string; rows: LeaderboardRow[]; books_balanced: boolean }
  | ({ type: "mark_updated" } & Mark)
  | ({ type: "order_filled" } & Fill)
  | ({ type: "trade_closed" } & ClosedTrade)
  | { type: "instrument_listed"; instrument: string; tick_size: string }
  | ({ type: "signal_proposed" } & Signal)
  | ({ type: "decision_missed" } & Missed)
  | ({ type: "order_approved" } & Approved)
  | ({ type: "signal_rejected" } & Rejected)
  | { type: "decision_judged"; competitor_id: string; round: number; at: string }
  | { type: "round_opened"; round: number; at: string; deadline: string; snapshot_sha256: string }
  | { type: "round_closed"; round: number; at: string; answered: number; missed: number }
  | { type: "trading_halted"; competitor_id: string; reason: string; at: string }
  | { type: "trading_resumed"; competitor_id: string; at: string };

export interface Change {
  kind: string;
  data: ArenaEvent;
}

export interface Health {
  fill_to_frame_ms?: number | null;
  fill_to_frame_ms_p99?: number | null;
  books_balanced?: boolean | null;
}

export interface Snapshot {
  season: Season | null;
  phase?: string | { phase: string } | null;
  round?: unknown;
  competitors: Competitor[];
  leaderboard: LeaderboardRow[];
  portfolios: Record<string, Portfolio>;
  equity: Record<string, [number, string | number][]>;
  /** The latest fills. */
  trades: ArenaEvent[];
  closed_trades?: ArenaEvent[];
  instruments?: Record<string, ArenaEvent>;
  halted?: Record<string, ArenaEvent>;
  marks: Record<string, Mark>;
  decisions: ArenaEvent[];
  health?: Health | null;
}

export type Frame =
  | { type: "snapshot"; seq: number; epoch: string; sent_at: string; at?: string | null; data: Snapshot }
  | { type: "resumed"; seq: number; epoch?: string; sent_at?: string }
  | { type: "delta"; seq: number; sent_at: string; at?: string | null; changes: Change[]; health?: Health }
  | { type: "heartbeat"; seq: number; sent_at: string; health?: Health };
