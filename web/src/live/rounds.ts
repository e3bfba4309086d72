import type { Season } from "../stream/protocol";

export interface NextRound {
  number: number;
  opensAt: number;
}

/** The first round that opens strictly after `at`; null where the season has ended by then. */
export function roundAfter(season: Season, at: number): NextRound | null {
  const cadence = season.rules.cadence_s * 1000;
  const start = Date.parse(season.starts_at);
  const number = Math.max(1, Math.floor((at - start) / cadence) + 2);
  const opensAt = start + (number - 1) * cadence;
  return season.ends_at !== null && opensAt >= Date.parse(season.ends_at) ? null : { number, opensAt };
}

const DAY_MS = 86_400_000;

export function dayOf(season: Season, at: number): { day: number; days: number | null } {
  const start = Date.parse(season.starts_at);
  const days = season.ends_at ? Math.ceil((Date.parse(season.ends_at) - start) / DAY_MS) : null;
  return { day: Math.max(1, Math.floor((at - start) / DAY_MS) + 1), days };
}
