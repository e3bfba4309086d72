// Equity over time, bounded: older points are thinned, the newest are all there. Floats: these are pixels to be.

export interface Series {
  readonly times: number[];
  readonly values: number[];
}

export const POINTS_MAX = 4_000;

export const emptySeries = (): Series => ({ times: [], values: [] });

export function append(series: Series, at: number, value: number): void {
  const last = series.times.length - 1;
  if (last >= 0 && at < series.times[last]!) return;
  if (last >= 0 && at === series.times[last]) {
    series.values[last] = value;
    return;
  }
  series.times.push(at);
  series.values.push(value);
  if (series.times.length > POINTS_MAX) thin(series);
}

/** Every second point of the older half goes. */
function thin(series: Series): void {
  const half = series.times.length >> 1;
  const keep = (_: number, index: number) => index === 0 || index >= half || index % 2 === 0;
  const times = series.times.filter(keep);
  const values = series.values.filter(keep);
  series.times.splice(0, Infinity, ...times);
  series.values.splice(0, Infinity, ...values);
}

/** The value that stood at each of the `grid` times; null before the first. */
export function sampled(series: Series, grid: readonly number[]): (number | null)[] {
  let next = 0;
  return grid.map((at) => {
    while (next < series.times.length && series.times[next]! <= at) next += 1;
    return next === 0 ? null : series.values[next - 1]!;
  });
}

/** Whether a point of the series lies between each of the `grid` times and the one before it. */
export function touched(series: Series, grid: readonly number[]): boolean[] {
  let next = 0;
  return grid.map((at) => {
    const before = next;
    while (next < series.times.length && series.times[next]! <= at) next += 1;
    return next > before;
  });
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** Evenly spaced times, aligned to a round step, at most about `points` of them; the last is at or after `to`. */
export function grid(from: number, to: number, points: number): number[] {
  const wanted = (to - from) / 1000 / points;
  const step = (STEPS_S.find((s) => s >= wanted) ?? STEPS_S.at(-1)!) * 1000;
  const first = Math.floor(from / step) * step;
  const count = Math.max(1, Math.ceil((to - first) / step)) + 1;
  return Array.from({ length: count }, (_, index) => first + index * step);
}
