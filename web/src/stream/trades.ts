// Fills told as trades: the fills of one order are one line, and say what they did to the position.
import { absolute, add, compare, type Decimal, decimal, divide, multiply, negate, sign, subtract } from "../decimal";
import type { Fill } from "./protocol";

export type Deed = "opened" | "added" | "reduced" | "closed" | "flipped";

export interface Trade {
  readonly id: string;
  readonly competitor: string;
  readonly instrument: string;
  readonly at: number;
  readonly round: number | null;
  readonly side: Fill["side"];
  readonly purpose: Fill["purpose"];
  readonly liquidity: Fill["liquidity"];
  readonly deed: Deed;
  /** The direction of the position it acted on. */
  readonly direction: "long" | "short";
  readonly quantity: Decimal;
  /** Average over the order's fills. */
  readonly price: Decimal;
  readonly fee: Decimal;
  readonly fills: number;
}

const signed = (fill: Fill): Decimal => (fill.side === "buy" ? decimal(fill.quantity) : negate(decimal(fill.quantity)));

export function deedOf(before: Decimal, after: Decimal): Deed {
  if (sign(before) === 0) return "opened";
  if (sign(after) === 0) return "closed";
  if (sign(after) !== sign(before)) return "flipped";
  return compare(absolute(after), absolute(before)) > 0 ? "added" : "reduced";
}

/** The trade that this fill makes, or the one it adds to. */
export function told(fill: Fill, previous: Trade | undefined): Trade {
  const after = decimal(fill.position_after);
  return previous ? merged(previous, fill, after) : single(fill, subtract(after, signed(fill)), after);
}

/** A closing order and the closed trade it ends have this in common. */
export const closing = (competitor: string, instrument: string, at: number): string =>
  `${competitor}/${instrument}/${at}`;

function single(fill: Fill, before: Decimal, after: Decimal): Trade {
  const base = sign(before) === 0 ? after : before;
  return {
    id: fill.order_id,
    competitor: fill.competitor_id,
    instrument: fill.instrument,
    at: Date.parse(fill.at),
    round: fill.round,
    side: fill.side,
    purpose: fill.purpose,
    liquidity: fill.liquidity,
    deed: deedOf(before, after),
    direction: sign(base) < 0 ? "short" : "long",
    quantity: decimal(fill.quantity),
    price: decimal(fill.price),
    fee: decimal(fill.fee),
    fills: 1,
  };
}

function merged(trade: Trade, fill: Fill, after: Decimal): Trade {
  const quantity = add(trade.quantity, decimal(fill.quantity));
  const value = add(multiply(trade.price, trade.quantity), multiply(decimal(fill.price), decimal(fill.quantity)));
  return {
    ...trade,
    at: Date.parse(fill.at),
    deed: mergedDeed(trade, after),
    quantity,
    price: divide(value, quantity) ?? trade.price,
    fee: add(trade.fee, decimal(fill.fee)),
    fills: trade.fills + 1,
  };
}

function mergedDeed(trade: Trade, after: Decimal): Deed {
  if (trade.deed === "opened" || trade.deed === "added") return trade.deed;
  if (sign(after) === 0) return "closed";
  const same = (sign(after) > 0) === (trade.direction === "long");
  return same ? "reduced" : "flipped";
}
