import { approximate, decimal } from "../../decimal";
import type { Standing } from "../../standings";
import { grid, sampled, touched } from "../../stream/series";
import type { Picture } from "../../stream/store";

export type Unit = "usd" | "percent";
export type Range = "1h" | "1d" | "3d" | "all";

const RANGE_MS: Record<Range, number> = { "1h": 3_600_000, "1d": 86_400_000, "3d": 259_200_000, all: Infinity };
const POINTS = 480;

interface Shown {
  picture: Picture;
  rows: readonly Standing[];
  unit: Unit;
  range: Range;
}

export interface Lines {
  times: number[];
  /** What stood at each moment. */
  values: Map<string, (number | null)[]>;
  /** Where it was measured: between such moments the line is straight, not a stair. */
  measured: Map<string, boolean[]>;
}

/** Every line at the same moments, so that one position of the pointer compares them all. */
export function linesOf({ picture, rows, unit, range }: Shown): Lines {
  const all = rows.map((row) => [row.competitor.competitor_id, picture.series.get(row.competitor.competitor_id)] as const);
  const starts = all.flatMap(([, series]) => series?.times[0] ?? []);
  if (starts.length === 0) return { times: [], values: new Map(), measured: new Map() };
  const from = Math.max(Math.min(...starts), picture.at - RANGE_MS[range]);
  const times = grid(from, Math.max(picture.at, from + 1000), POINTS);
  const capital = approximate(decimal(picture.season?.rules.capital ?? "10000"));
  const shown = (equity: number | null) =>
    equity === null || unit === "usd" ? equity : (equity / capital - 1) * 100;
  const values = new Map(all.flatMap(([id, s]) => (s ? [[id, sampled(s, times).map(shown)] as const] : [])));
  const measured = new Map(all.flatMap(([id, s]) => (s ? [[id, touched(s, times)] as const] : [])));
  return { times, values, measured };
}
