import { describe, expect, it } from "vitest";
import { dayOf, roundAfter } from "../src/live/rounds";
import { season } from "./events";

const at = (time: string) => Date.parse(`2026-11-22T${time}Z`);

describe("the schedule", () => {
  it("opens round n (n - 1) cadences after the start", () => {
    expect(roundAfter(season, at("11:00:00"))).toEqual({ number: 1, opensAt: at("12:00:00") });
    expect(roundAfter(season, at("12:00:00"))).toEqual({ number: 2, opensAt: at("12:03:00") });
    expect(roundAfter(season, at("12:02:59.999"))).toEqual({ number: 2, opensAt: at("12:03:00") });
  });

  it("opens none at or after the season's end", () => {
    const short = { ...season, ends_at: "2026-11-22T12:03:00Z" };
    expect(roundAfter(short, at("12:00:01"))).toBeNull();
    expect(roundAfter(short, at("11:59:00"))?.number).toBe(1);
  });

  it("counts days from one", () => {
    const long = { ...season, ends_at: "2026-12-09T12:00:00Z" };
    expect(dayOf(long, at("12:00:00"))).toEqual({ day: 1, days: 17 });
    expect(dayOf(season, at("12:00:00") + 86_400_000)).toEqual({ day: 2, days: null });
  });
});
