import type { Competitor } from "../stream/protocol";

/** Which colour variable is the competitor's: benchmarks are grey, whatever hue they were given. */
export const hueOf = (competitor: Competitor): string =>
  competitor.kind === "baseline" ? "benchmark" : String(competitor.hue);

/** The two letters that stand for a competitor, in the frame of its colour. */
export function Mark({ competitor }: { competitor: Competitor }) {
  return (
    <span className="mark" data-hue={hueOf(competitor)} aria-hidden="true">
      {competitor.mark}
    </span>
  );
}

export function Identity({ competitor }: { competitor: Competitor | undefined }) {
  if (!competitor) return <span className="identity">–</span>;
  return (
    <span className="identity">
      <Mark competitor={competitor} />
      <span className="name">{competitor.name}</span>
    </span>
  );
}
