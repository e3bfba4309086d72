import {
  createChart,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  PriceScaleMode,
  TickMarkType,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { approximate, decimal } from "../decimal";
import { dateTime, dayOfMonth, fixed, percentSigned, timeOfDay, usd, type Zone } from "../format";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import { grid, sampled, touched } from "../stream/series";
import type { Picture } from "../stream/store";
import { Choice } from "./Choice";
import { hueOf, Mark } from "./Mark";
import { spread } from "./spread";

export type Unit = "usd" | "percent";
export type Range = "1h" | "1d" | "3d" | "all";

const RANGE_MS: Record<Range, number> = { "1h": 3_600_000, "1d": 86_400_000, "3d": 259_200_000, all: Infinity };
const POINTS = 480;
const TAG_HEIGHT = 18;
const REDRAW_EVERY_MS = 500;

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

interface Lines {
  times: number[];
  /** What stood at each moment. */
  values: Map<string, (number | null)[]>;
  /** Where it was measured: between such moments the line is straight, not a stair. */
  measured: Map<string, boolean[]>;
}

/** Every line at the same moments, so that one position of the pointer compares them all. */
function linesOf({ picture, rows, unit, range }: Props): Lines {
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

interface Tag {
  standing: Standing;
  from: number;
  to: number;
}

interface Hover {
  index: number;
  x: number;
}

function Plot(props: Props & { log: boolean; summary: string }) {
  const { rows, selected, unit, log, picture, onSelect, summary } = props;
  const { painted, zone, language, t } = usePreferences();
  const holder = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const [tags, setTags] = useState<Tag[]>([]);
  const [hover, setHover] = useState<Hover | null>(null);
  const [width, setWidth] = useState(0);
  const version = Math.floor(picture.receivedAt / REDRAW_EVERY_MS);
  // a new picture comes five times a second: the lines need not be drawn more often than twice
  const lines = useMemo(() => linesOf(props), [version, rows.length, unit, props.range, picture.season]);

  useEffect(() => {
    const made = new Drawing(holder.current!, setHover, setWidth);
    drawing.current = made;
    return () => made.remove();
  }, []);

  useEffect(() => drawing.current?.style(zone, unit, log), [painted, zone, unit, log, language]);
  useEffect(() => {
    drawing.current?.draw(lines, rows, selected, picture.season?.rules.capital ?? null, unit);
  }, [lines, selected, painted, unit, log, width]);
  useEffect(() => {
    setTags(drawing.current?.tags(rows) ?? []);
  }, [lines, rows, selected, painted, unit, log, width]);

  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (event.key === "Escape") setHover(null);
    if (!by || lines.times.length === 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(lines.times.length - 1, (hover?.index ?? lines.times.length) + by));
    setHover({ index, x: drawing.current?.x(lines.times[index]!) ?? 0 });
  };

  const empty = lines.times.length === 0;
  return (
    <div className="plot">
      <div
        className="canvas"
        ref={holder}
        role="img"
        aria-label={summary}
        tabIndex={0}
        onKeyDown={step}
        onBlur={() => setHover(null)}
      />
      <Tags tags={tags} selected={selected} onSelect={onSelect} unit={unit} />
      {empty && <p className="empty over">{t("chart.empty")}</p>}
      {hover && !empty && <Comparison hover={hover} lines={lines} rows={rows} unit={unit} zone={zone} width={width} />}
    </div>
  );
}

const LEADER_WIDTH = 14;

function Tags(props: { tags: Tag[]; selected: string; unit: Unit; onSelect: (competitor: string) => void }) {
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

const COMPARISON_WIDTH = 236;

function Comparison(props: {
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

interface Line {
  series: ISeriesApi<"Line">;
  look: string;
  first: number;
  count: number;
}

/** What lightweight-charts draws; everything else on the chart is HTML. */
class Drawing {
  private readonly chart: IChartApi;
  private readonly lines = new Map<string, Line>();
  private capital: { line: IPriceLine; owner: ISeriesApi<"Line"> } | undefined;
  private times: number[] = [];
  private shape = "";

  constructor(
    private readonly holder: HTMLElement,
    onHover: (hover: Hover | null) => void,
    onWidth: (width: number) => void,
  ) {
    this.chart = createChart(holder, {
      autoSize: true,
      handleScroll: false,
      handleScale: false,
      layout: { background: { color: "transparent" }, attributionLogo: false },
      leftPriceScale: { visible: true, borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.06, bottom: 0.06 } },
      rightPriceScale: { visible: false },
      timeScale: { borderVisible: false, rightOffset: 0, fixLeftEdge: true, fixRightEdge: true },
      crosshair: { mode: 0, horzLine: { visible: false, labelVisible: false }, vertLine: { labelVisible: false } },
    });
    this.chart.subscribeCrosshairMove((param) => {
      const index = param.time === undefined ? -1 : this.times.indexOf(Number(param.time) * 1000);
      if (index >= 0 && param.point) onHover({ index, x: param.point.x + this.scaleWidth() });
      else if (param.sourceEvent || param.point === undefined) onHover(null);
    });
    this.chart.timeScale().subscribeSizeChange(() => onWidth(holder.clientWidth));
  }

  remove(): void {
    this.chart.remove();
  }

  style(zone: Zone, unit: Unit, log: boolean): void {
    const css = getComputedStyle(document.documentElement);
    const colour = (name: string) => css.getPropertyValue(name).trim();
    const hairline = { color: colour("--line"), style: LineStyle.Solid };
    this.chart.applyOptions({
      layout: { textColor: colour("--text-faint"), fontFamily: colour("--mono"), fontSize: 11 },
      grid: { vertLines: { visible: false }, horzLines: hairline },
      crosshair: { vertLine: { color: colour("--text-faint"), style: LineStyle.Solid, width: 1 } },
      localization: { priceFormatter: (value: number) => axis(value, unit) },
      leftPriceScale: { mode: log && unit === "usd" ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal },
      timeScale: { timeVisible: true, tickMarkFormatter: (time: Time, kind: TickMarkType) => tick(time, kind, zone) },
    });
  }

  draw(lines: Lines, rows: readonly Standing[], selected: string, capital: string | null, unit: Unit): void {
    const css = getComputedStyle(document.documentElement);
    this.times = lines.times;
    const shape = `${unit} ${lines.times[0]} ${lines.times[1]}`;
    const same = shape === this.shape;
    this.shape = shape;
    this.forget(new Set(rows.map((row) => row.competitor.competitor_id)));
    for (const { competitor } of rows) {
      const id = competitor.competitor_id;
      const values = lines.values.get(id) ?? [];
      const line = this.lines.get(id) ?? this.begin(id);
      const dimmed = selected !== "" && selected !== id;
      const color = css.getPropertyValue(`--hue-${hueOf(competitor)}`).trim() + (dimmed ? "38" : "");
      const lineStyle = competitor.kind === "baseline" ? LineStyle.Dashed : dash(competitor.hue);
      const lineWidth = selected === id ? 3 : 2;
      const look = `${color} ${lineStyle} ${lineWidth}`;
      if (look !== line.look) line.series.applyOptions({ color, lineWidth, lineStyle });
      line.look = look;
      this.fill(line, lines.times, values, lines.measured.get(id) ?? [], same);
    }
    this.drawCapital(capital, unit, css.getPropertyValue("--text-faint").trim());
    this.chart.timeScale().fitContent();
  }

  /** Where the lines end and where their labels go; the first and the last where there is no room for all. */
  tags(rows: readonly Standing[]): Tag[] {
    const height = this.holder.clientHeight - this.chart.timeScale().height();
    const ends = rows.flatMap((standing) => {
      const series = this.lines.get(standing.competitor.competitor_id)?.series;
      const last = series?.data().at(-1);
      const y = last && "value" in last ? series?.priceToCoordinate(last.value) : null;
      return y === null || y === undefined ? [] : [{ standing, y: Number(y) }];
    });
    const room = Math.max(0, Math.floor(height / TAG_HEIGHT));
    const top = Math.ceil(room / 2);
    const shown = ends.length <= room ? ends : [...ends.slice(0, top), ...ends.slice(ends.length - (room - top))];
    shown.sort((a, b) => a.y - b.y);
    const places = spread(shown.map((end) => end.y), TAG_HEIGHT, height);
    return shown.map(({ standing, y }, index) => ({ standing, from: y, to: places[index]! }));
  }

  x(at: number): number {
    const time = (at / 1000) as UTCTimestamp;
    const line = this.lines.values().next().value;
    if (line) this.chart.setCrosshairPosition(0, time, line.series);
    return Number(this.chart.timeScale().timeToCoordinate(time) ?? 0) + this.scaleWidth();
  }

  private scaleWidth(): number {
    return this.chart.priceScale("left").width();
  }

  private begin(id: string): Line {
    const series = this.chart.addSeries(LineSeries, {
      priceScaleId: "left",
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerRadius: 3,
    });
    const line = { series, look: "", first: 0, count: 0 };
    this.lines.set(id, line);
    return line;
  }

  /** Only what is new where the grid is the one of the last time, else all of it. */
  private fill(line: Line, times: number[], values: (number | null)[], measured: boolean[], same: boolean): void {
    const first = values.findIndex((value) => value !== null);
    if (first < 0) return;
    const last = times.length - 1;
    const point = (index: number) => {
      const time = (times[index]! / 1000) as UTCTimestamp;
      return measured[index] || index === first || index === last ? { time, value: values[index]! } : { time };
    };
    const grown = times.length - line.count;
    const from = same && line.count > 0 && line.first === first && grown <= 1 ? line.count - 1 : first;
    if (from === first) line.series.setData(times.slice(first).map((_, n) => point(first + n)));
    else for (let index = from; index < times.length; index += 1) line.series.update(point(index));
    line.first = first;
    line.count = times.length;
  }

  private drawCapital(capital: string | null, unit: Unit, color: string): void {
    const owner = this.lines.values().next().value?.series;
    if (this.capital && this.lines.size > 0) this.capital.owner.removePriceLine(this.capital.line);
    this.capital = undefined;
    if (!owner || !capital) return;
    const price = unit === "usd" ? approximate(decimal(capital)) : 0;
    const style = { price, color, lineWidth: 1, lineStyle: LineStyle.SparseDotted, axisLabelVisible: false } as const;
    this.capital = { line: owner.createPriceLine(style), owner };
  }

  private forget(known: Set<string>): void {
    for (const [id, line] of this.lines) {
      if (known.has(id)) continue;
      if (this.capital?.owner === line.series) this.capital = undefined;
      this.chart.removeSeries(line.series);
      this.lines.delete(id);
    }
  }
}

/** From the ninth on, hues are told apart by their dash as well. */
const dash = (hue: number): LineStyle => (hue < 8 ? LineStyle.Solid : LineStyle.LargeDashed);

const axis = (value: number, unit: Unit): string =>
  unit === "usd" ? fixed(value.toFixed(0), 0) : `${fixed(value.toFixed(1), 1, true)}%`;

function tick(time: Time, kind: TickMarkType, zone: Zone): string {
  const at = Number(time) * 1000;
  if (kind === TickMarkType.TimeWithSeconds) return timeOfDay(at, zone);
  return kind === TickMarkType.Time ? timeOfDay(at, zone, false) : dayOfMonth(at, zone);
}
