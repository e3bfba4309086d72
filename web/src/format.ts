// Numbers and times as they stand on the page. Minus is U+2212, as wide as plus.
import { absolute, type Decimal, decimal, plain, rounded, sign } from "./decimal";

export type Value = string | Decimal;

export const MINUS = "\u2212";
export const NONE = "–";

const exact = (value: Value): Decimal => (typeof value === "string" ? decimal(value) : value);

function grouped(value: Decimal, signed: boolean): string {
  const [whole = "0", fraction] = plain(absolute(value)).split(".");
  const body = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (fraction ? `.${fraction}` : "");
  const s = sign(value);
  return (s < 0 ? MINUS : s > 0 && signed ? "+" : "") + body;
}

export const fixed = (value: Value, places: number, signed = false): string =>
  grouped(rounded(exact(value), places), signed);

export const usd = (value: Value): string => fixed(value, 2);
export const usdSigned = (value: Value): string => fixed(value, 2, true);

function percentage(rate: Value): Decimal {
  const { units, scale } = exact(rate);
  return scale >= 2 ? { units, scale: scale - 2 } : { units: units * 10n ** BigInt(2 - scale), scale: 0 };
}

export const percent = (rate: Value, places = 2): string => `${fixed(percentage(rate), places)}%`;
export const percentSigned = (rate: Value, places = 2): string => `${fixed(percentage(rate), places, true)}%`;

/** As it came, without trailing zeros and with at most eight places. */
export function quantity(value: Value): string {
  const text = fixed(value, 8);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** With the instrument's tick where it is known, else with about six significant digits. */
export function price(value: Value, tick?: string): string {
  const amount = exact(value);
  if (tick) return fixed(amount, (tick.replace(/0+$/, "").split(".")[1] ?? "").length);
  const whole = plain(absolute(amount)).split(".")[0] ?? "0";
  const places = whole === "0" ? 5 : Math.max(1, 6 - whole.length);
  return fixed(amount, Math.min(places, 4 + Number(whole === "0")));
}

/** A number with a unit of its own, as a rule of the risk gate gives it. */
export function measured(value: string, unit: string): string {
  const text = quantity(rounded(decimal(value), 6));
  return unit === "USD" ? `${usd(value)} USD` : unit === "%" ? `${text}%` : unit ? `${text} ${unit}` : text;
}

export const asset = (instrument: string): string => instrument.split("-")[0] ?? instrument;

export type Zone = "utc" | "local";

const two = (n: number): string => String(n).padStart(2, "0");

export function zoneName(zone: Zone, at: number): string {
  if (zone === "utc") return "UTC";
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}

function fields(at: number, zone: Zone): [string, string, string] {
  const d = new Date(zone === "utc" ? at : at - new Date(at).getTimezoneOffset() * 60_000);
  const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  return [day, `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`, two(d.getUTCSeconds())];
}

export function dateTime(at: number, zone: Zone): string {
  const [day, minutes, seconds] = fields(at, zone);
  return `${day} ${minutes}:${seconds} ${zoneName(zone, at)}`;
}

export function timeOfDay(at: number, zone: Zone, withSeconds = true): string {
  const [, minutes, seconds] = fields(at, zone);
  return withSeconds ? `${minutes}:${seconds}` : minutes;
}

export function dayOfMonth(at: number, zone: Zone): string {
  return fields(at, zone)[0].slice(5);
}

export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const minutes = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${minutes}` : minutes;
}

const STEPS: [limit: number, unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  [60_000, "second", 1000],
  [3_600_000, "minute", 60_000],
  [86_400_000, "hour", 3_600_000],
  [Infinity, "day", 86_400_000],
];

export function relative(ms: number, language: string): string {
  const ago = Math.max(0, ms);
  const [, unit, size] = STEPS.find(([limit]) => ago < limit) ?? STEPS[3]!;
  return new Intl.RelativeTimeFormat(language, { style: "short" }).format(-Math.floor(ago / size), unit);
}
