import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { usePreferences } from "../../settings";
import type { Standing } from "../../standings";
import type { Picture } from "../../stream/store";
import { Comparison, type Hover } from "./Comparison";
import { Drawing } from "./drawing";
import { linesOf, type Range, type Unit } from "./lines";
import { type Tag, Tags } from "./Tags";

const REDRAW_EVERY_MS = 500;

interface Props {
  picture: Picture;
  rows: readonly Standing[];
  selected: string;
  onSelect: (competitor: string) => void;
  unit: Unit;
  range: Range;
  log: boolean;
  summary: string;
}

export function Plot(props: Props) {
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
