import { useState } from "react";
import { usd } from "../format";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import type { Picture } from "../stream/store";
import type { Range, Unit } from "./chart/lines";
import { Plot } from "./chart/Plot";
import { Choice } from "./Choice";

interface Props {
  picture: Picture;
  rows: readonly Standing[];
  selected: string;
  onSelect: (competitor: string) => void;
  unit: Unit;
  range: Range;
  onUnit: (unit: Unit) => void;
  onRange: (range: Range) => void;
}

export function Chart(props: Props) {
  const { t } = usePreferences();
  const [log, setLog] = useState(false);
  const [first, last] = [props.rows[0], props.rows.at(-1)];
  const summary =
    first && last
      ? t("chart.summary", {
          count: props.rows.length,
          first: first.competitor.name,
          firstEquity: usd(first.equity),
          last: last.competitor.name,
          lastEquity: usd(last.equity),
        })
      : t("chart.empty");
  return (
    <section className="chart" aria-labelledby="chart-title">
      <div className="section-head">
        <h2 id="chart-title" data-explain="equity">
          {t("chart.title")}
        </h2>
        <div className="tools">
          <Choice
            label={t("chart.unit")}
            value={props.unit}
            options={[["usd", t("chart.usd")], ["percent", t("chart.percent")]]}
            onChange={props.onUnit}
          />
          <Choice
            label={t("chart.range")}
            value={props.range}
            options={(["1h", "1d", "3d", "all"] as const).map((range) => [range, t(`chart.range.${range}`)] as const)}
            onChange={props.onRange}
          />
          <button type="button" className="toggle" aria-pressed={log} onClick={() => setLog(!log)}>
            {t("chart.log")}
          </button>
        </div>
      </div>
      <Plot {...props} log={log} summary={summary} />
    </section>
  );
}
