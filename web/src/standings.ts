// Who stands where: one row a competitor, from its portfolio where there is one, else from the leaderboard.
import { approximate, compare, type Decimal, decimal, divide, subtract, ZERO } from "./decimal";
import type { Competitor, LeaderboardRow, Portfolio } from "./stream/protocol";
import type { Picture } from "./stream/store";

export interface Standing {
  readonly competitor: Competitor;
  readonly rank: number;
  readonly at: number;
  readonly equity: Decimal;
  readonly returnRate: Decimal;
  readonly pnl: Decimal;
  readonly fees: Decimal;
  readonly drawdown: Decimal;
  readonly winRate: Decimal | null;
  readonly trades: number;
  readonly fills: number;
  readonly exposure: Decimal;
  readonly exposureNet: Decimal;
}

type Unranked = Omit<Standing, "rank">;
export type SortKey = "rank" | "competitor" | Exclude<keyof Unranked, "competitor" | "at" | "exposureNet">;

const ratio = (part: Decimal, whole: Decimal): Decimal => divide(part, whole) ?? ZERO;

/** Exact arithmetic is dear: a portfolio is valued once. */
const valued = new WeakMap<Portfolio, Unranked>();

function fromPortfolio(competitor: Competitor, portfolio: Portfolio): Unranked {
  const known = valued.get(portfolio);
  if (known?.competitor === competitor) return known;
  const standing = valuedNow(competitor, portfolio);
  valued.set(portfolio, standing);
  return standing;
}

function valuedNow(competitor: Competitor, p: Portfolio): Unranked {
  const [equity, capital] = [decimal(p.equity), decimal(p.capital)];
  const pnl = subtract(equity, capital);
  return {
    competitor,
    at: Date.parse(p.at),
    equity,
    returnRate: ratio(pnl, capital),
    pnl,
    fees: decimal(p.fees),
    drawdown: decimal(p.max_drawdown),
    winRate: divide(decimal(String(p.wins)), decimal(String(p.trades))),
    trades: p.trades,
    fills: p.fills,
    exposure: ratio(decimal(p.exposure_gross), equity),
    exposureNet: ratio(decimal(p.exposure_net), equity),
  };
}

function fromRow(competitor: Competitor, row: LeaderboardRow, at: number): Unranked {
  const equity = decimal(row.equity);
  return {
    competitor,
    at,
    equity,
    returnRate: decimal(row.return_rate),
    pnl: decimal(row.pnl),
    fees: decimal(row.fees),
    drawdown: decimal(row.max_drawdown),
    winRate: row.win_rate === null ? null : decimal(row.win_rate),
    trades: row.trades,
    fills: row.fills,
    exposure: ratio(decimal(row.exposure_gross), equity),
    exposureNet: ratio(decimal(row.exposure_net), equity),
  };
}

function unopened(competitor: Competitor, capital: string, at: number): Unranked {
  const none = { returnRate: ZERO, pnl: ZERO, fees: ZERO, drawdown: ZERO, exposure: ZERO, exposureNet: ZERO };
  return { competitor, at, equity: decimal(capital), winRate: null, trades: 0, fills: 0, ...none };
}

export function standings(picture: Picture): Standing[] {
  const rows = new Map(picture.leaderboard.map((row) => [row.competitor_id, row]));
  const all = Object.values(picture.competitors).map((competitor) => {
    const portfolio = picture.portfolios[competitor.competitor_id];
    const row = rows.get(competitor.competitor_id);
    if (portfolio) return fromPortfolio(competitor, portfolio);
    if (row) return fromRow(competitor, row, picture.at);
    return unopened(competitor, picture.season?.rules.capital ?? "0", picture.at);
  });
  return all
    .sort((a, b) => compare(b.equity, a.equity) || byName(a, b))
    .map((standing, index) => ({ ...standing, rank: index + 1 }));
}

const byName = (a: Unranked, b: Unranked): number =>
  a.competitor.competitor_id < b.competitor.competitor_id ? -1 : 1;

const sortable = (standing: Standing, key: SortKey): number | string => {
  const value = standing[key];
  if (value === null) return -Infinity;
  if (typeof value === "number") return value;
  return "units" in value ? approximate(value) : value.name.toLowerCase();
};

/** `ascending` reads from the smallest up. Ties keep their rank. */
export function sorted(rows: readonly Standing[], key: SortKey, ascending: boolean): Standing[] {
  const order = (a: Standing, b: Standing) => {
    const [x, y] = [sortable(a, key), sortable(b, key)];
    return (x < y ? -1 : x > y ? 1 : 0) * (ascending ? 1 : -1) || a.rank - b.rank;
  };
  return [...rows].sort(order);
}
