import { percentSigned, usd } from "../../format";
import { usePreferences } from "../../settings";
import type { Standing } from "../../standings";
import { hueOf, Mark } from "../Mark";
import type { Unit } from "./lines";

export const TAG_HEIGHT = 18;
const LEADER_WIDTH = 14;

export interface Tag {
  standing: Standing;
  from: number;
  to: number;
}

export function Tags(props: { tags: Tag[]; selected: string; unit: Unit; onSelect: (competitor: string) => void }) {
  const { t } = usePreferences();
  return (
    <div className="tags">
      <svg width={LEADER_WIDTH} aria-hidden="true">
        {props.tags.map(({ standing, from, to }) => (
          <path
            key={standing.competitor.competitor_id}
            data-hue={hueOf(standing.competitor)}
            d={`M0 ${from} L${LEADER_WIDTH - 4} ${to} h4`}
            fill="none"
          />
        ))}
      </svg>
      {props.tags.map(({ standing, to }) => {
        const { competitor, equity, returnRate } = standing;
        const id = competitor.competitor_id;
        return (
          <button
            key={id}
            type="button"
            className="tag"
            style={{ top: to - TAG_HEIGHT / 2 }}
            aria-pressed={props.selected === id}
            title={t("board.select", { name: competitor.name })}
            onClick={() => props.onSelect(props.selected === id ? "" : id)}
          >
            <Mark competitor={competitor} />
            <span className="sr-only">{competitor.name}</span>
            <span className="num">{props.unit === "usd" ? usd(equity) : percentSigned(returnRate)}</span>
          </button>
        );
      })}
    </div>
  );
}
