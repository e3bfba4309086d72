import { dateTime, fixed, type Zone } from "../../format";
import { usePreferences } from "../../settings";
import type { Standing } from "../../standings";
import { Mark } from "../Mark";
import type { Lines, Unit } from "./lines";

const COMPARISON_WIDTH = 236;

export interface Hover {
  index: number;
  x: number;
}

export function Comparison(props: {
  hover: Hover;
  lines: Lines;
  rows: readonly Standing[];
  unit: Unit;
  zone: Zone;
  width: number;
}) {
  const { t } = usePreferences();
  const { hover, lines, unit } = props;
  const at = lines.times[hover.index];
  if (at === undefined) return null;
  const entries = props.rows
    .flatMap((row) => {
      const value = lines.values.get(row.competitor.competitor_id)?.[hover.index];
      return value === null || value === undefined ? [] : [{ row, value }];
    })
    .sort((a, b) => b.value - a.value);
  const columns = Math.ceil(entries.length / 14);
  const room = COMPARISON_WIDTH * columns;
  const left = hover.x + 16 + room > props.width ? Math.max(0, hover.x - 16 - room) : hover.x + 16;
  // a point of a line, not an amount of the books: two places of a float are what a pixel can say
  const shown = (value: number) => fixed(value.toFixed(2), 2, unit === "percent") + (unit === "percent" ? "%" : "");
  return (
    <div className="comparison" style={{ left, width: room }} role="status">
      <p className="faint">{t("chart.at", { time: dateTime(at, props.zone) })}</p>
      <ol style={{ columnCount: columns }}>
        {entries.map(({ row, value }) => (
          <li key={row.competitor.competitor_id}>
            <Mark competitor={row.competitor} />
            <span className="name">{row.competitor.name}</span>
            <span className="num">{shown(value)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
