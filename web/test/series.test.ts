import { describe, expect, it } from "vitest";
import { spread } from "../src/live/spread";
import { append, emptySeries, grid, POINTS_MAX, sampled, touched } from "../src/stream/series";

describe("an equity line", () => {
  it("stays bounded, keeps its first point and all of its newest", () => {
    const series = emptySeries();
    for (let n = 0; n < 20_000; n += 1) append(series, n, n);
    expect(series.times.length).toBeLessThanOrEqual(POINTS_MAX);
    expect(series.times[0]).toBe(0);
    expect(series.times.slice(-1000)).toEqual(Array.from({ length: 1000 }, (_, n) => 19_000 + n));
    expect(series.values).toEqual(series.times);
  });

  it("takes the later of two values of one moment and no point out of order", () => {
    const series = emptySeries();
    append(series, 10, 1);
    append(series, 10, 2);
    append(series, 5, 9);
    expect(series).toEqual({ times: [10], values: [2] });
  });

  it("is sampled with the value that stood at each moment", () => {
    const series = { times: [10, 20, 30], values: [1, 2, 3] };
    expect(sampled(series, [5, 10, 15, 29, 35])).toEqual([null, 1, 1, 2, 3]);
  });

  it("is drawn on round times that cover the range", () => {
    const times = grid(61_500, 600_000, 60);
    expect(times[0]).toBe(60_000);
    expect(times[1]! - times[0]!).toBe(10_000);
    expect(times.at(-1)).toBeGreaterThanOrEqual(600_000);
  });
});

describe("line-end labels", () => {
  it("stay where they are while there is room", () => {
    expect(spread([20, 60, 100], 18, 200)).toEqual([20, 60, 100]);
  });

  it("move apart around their middle", () => {
    expect(spread([100, 100], 18, 200)).toEqual([91, 109]);
  });

  it("never overlap and never leave the chart", () => {
    for (const wanted of [[0, 0, 0, 0], [195, 198, 199, 200], [5, 6, 100, 101, 102, 199], [10, 27, 28, 45, 46]]) {
      const places = spread(wanted, 18, 200);
      expect(Math.min(...places)).toBeGreaterThanOrEqual(9);
      expect(Math.max(...places)).toBeLessThanOrEqual(191);
      places.slice(1).forEach((y, n) => expect(y - places[n]!).toBeGreaterThanOrEqual(18 - 1e-9));
    }
  });
});

it("a line knows between which moments it was measured", () => {
  expect(touched({ times: [10, 20, 21], values: [1, 2, 3] }, [5, 10, 15, 22, 30])).toEqual([false, true, false, true, false]);
});
