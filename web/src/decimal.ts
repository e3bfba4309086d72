// Exact decimals. Money comes as strings and is never turned into a binary float on its way to the screen.

export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export const ZERO: Decimal = { units: 0n, scale: 0 };

export function decimal(text: string): Decimal {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!found) throw new Error(`not a decimal: ${text}`);
  const [, sign = "", whole = "0", fraction = ""] = found;
  const units = BigInt(whole + fraction);
  return { units: sign ? -units : units, scale: fraction.length };
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return { units: x + y, scale };
}

export const negate = (a: Decimal): Decimal => ({ units: -a.units, scale: a.scale });

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b));

export const absolute = (a: Decimal): Decimal => (a.units < 0n ? negate(a) : a);

export const multiply = (a: Decimal, b: Decimal): Decimal => ({ units: a.units * b.units, scale: a.scale + b.scale });

/** Rounded half to even at `places`; null where `b` is zero. */
export function divide(a: Decimal, b: Decimal, places = 12): Decimal | null {
  if (b.units === 0n) return null;
  const [x, y] = aligned(a, b);
  return { units: halfEven(x * 10n ** BigInt(places), y), scale: places };
}

function halfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const quotient = n / d;
  const twice = (n % d) * 2n;
  const up = twice > d || (twice === d && quotient % 2n === 1n);
  const result = up ? quotient + 1n : quotient;
  return negative ? -result : result;
}

export function rounded(a: Decimal, places: number): Decimal {
  if (a.scale <= places) return { units: a.units * 10n ** BigInt(places - a.scale), scale: places };
  return { units: halfEven(a.units, 10n ** BigInt(a.scale - places)), scale: places };
}

export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export const sign = (a: Decimal): -1 | 0 | 1 => (a.units < 0n ? -1 : a.units > 0n ? 1 : 0);

/** For axes, bars and pixels only. */
export const approximate = (a: Decimal): number => Number(a.units) / 10 ** a.scale;

export function plain(a: Decimal): string {
  const digits = (a.units < 0n ? -a.units : a.units).toString().padStart(a.scale + 1, "0");
  const whole = digits.slice(0, digits.length - a.scale);
  const fraction = a.scale ? `.${digits.slice(digits.length - a.scale)}` : "";
  return `${a.units < 0n ? "-" : ""}${whole}${fraction}`;
}
