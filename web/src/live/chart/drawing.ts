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
import { approximate, decimal } from "../../decimal";
import { dayOfMonth, fixed, timeOfDay, type Zone } from "../../format";
import type { Standing } from "../../standings";
import { hueOf } from "../Mark";
import { spread } from "../spread";
import type { Hover } from "./Comparison";
import type { Lines, Unit } from "./lines";
import { type Tag, TAG_HEIGHT } from "./Tags";

interface Line {
  series: ISeriesApi<"Line">;
  look: string;
  first: number;
  count: number;
}

/** What lightweight-charts draws; everything else on the chart is HTML. */
export class Drawing {
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
