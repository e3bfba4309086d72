import { usePreferences } from "../settings";
import type { Competitor } from "../stream/protocol";
import { explained } from "./Num";

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

/** Beside a language model that was not asked: a stand-in answers, and everybody is to see it. */
export function Offline({ competitor, offline }: { competitor: Competitor | undefined; offline: boolean }) {
  const { t } = usePreferences();
  if (!offline || competitor?.kind !== "llm") return null;
  return (
    <span className="badge" {...explained("explain.offline")}>
      {t("offline")}
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
