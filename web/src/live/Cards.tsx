import { memo } from "react";
import { approximate, sign } from "../decimal";
import { NONE, percent, percentSigned, usd } from "../format";
import type { Key } from "../i18n";
import { usePreferences } from "../settings";
import { sorted, type Standing } from "../standings";
import { grid, sampled, type Series } from "../stream/series";
import type { Picture } from "../stream/store";
import { SortSelect, useOrder } from "./Leaderboard";
import { hueOf, Mark } from "./Mark";
import { Num } from "./Num";

const FEW_TRADES = 10;

interface Props {
  picture: Picture;
  rows: readonly Standing[];
  selected: string;
  onSelect: (competitor: string) => void;
}

export function Cards({ picture, rows, selected, onSelect }: Props) {
  const { t } = usePreferences();
  const { order, set } = useOrder();
  return (
    <section className="cards" aria-labelledby="cards-title">
      <div className="section-head">
        <h2 id="cards-title">{t("cards.title")}</h2>
        <SortSelect order={order} onChange={set} />
      </div>
      {rows.length === 0 && <p className="empty">{t("board.empty")}</p>}
      <ol>
        {sorted(rows, order.key, order.ascending).map((row) => (
          <Card
            key={row.competitor.competitor_id}
            row={row}
            flags={flagsOf(picture, row, t)}
            series={picture.series.get(row.competitor.competitor_id)}
            drawnAt={Math.floor(picture.at / 5_000)}
            selected={selected === row.competitor.competitor_id}
            onSelect={onSelect}
          />
        ))}
      </ol>
    </section>
  );
}

function flagsOf(picture: Picture, row: Standing, t: (key: Key, params?: Record<string, string | number>) => string): string {
  const id = row.competitor.competitor_id;
  const flags: string[] = [];
  const halted = picture.halted[id];
  const missed = picture.lastMissed[id];
  if (halted) flags.push(t("flag.halted", { reason: halted }));
  if (!row.competitor.active) flags.push(t("flag.inactive"));
  if (missed && missed >= picture.round.opened - 1) flags.push(t("flag.missed", { round: missed }));
  if (row.trades < FEW_TRADES) flags.push(t("flag.few"));
  return flags.join(" · ");
}

interface CardProps {
  row: Standing;
  flags: string;
  series: Series | undefined;
  /** Changes when the sparkline is to be drawn anew. */
  drawnAt: number;
  selected: boolean;
  onSelect: (competitor: string) => void;
}

const Card = memo(function Card({ row, flags, series, drawnAt, selected, onSelect }: CardProps) {
  const { t } = usePreferences();
  const { competitor, at } = row;
  const id = competitor.competitor_id;
  return (
    <li className="card" data-selected={selected}>
      <div className="card-head">
        <span className="faint num">{row.rank}</span>
        <button
          type="button"
          className="identity"
          aria-pressed={selected}
          title={t("board.select", { name: competitor.name })}
          onClick={() => onSelect(selected ? "" : id)}
        >
          <Mark competitor={competitor} />
          <span className="name">{competitor.name}</span>
        </button>
        <span className="faint kind">{t(`kind.${competitor.kind}`)}</span>
      </div>
      <div className="card-main">
        <Num text={usd(row.equity)} about="explain.equity" at={at} className="large" />
        <Num text={percentSigned(row.returnRate)} tone={sign(row.returnRate)} about="explain.return" at={at} />
        <Sparkline series={series} hue={hueOf(competitor)} key={drawnAt} />
      </div>
      <dl>
        <Figure label="board.drawdown" about="explain.drawdown" text={percent(row.drawdown)} />
        <Figure label="board.fees" about="explain.fees" text={usd(row.fees)} />
        <Figure label="board.winRate" about="explain.winRate" text={row.winRate ? percent(row.winRate, 0) : NONE} />
        <Figure label="board.trades" about="explain.trades" text={String(row.trades)} />
        <Figure label="board.fills" about="explain.fills" text={String(row.fills)} />
        <Figure label="board.exposure" about="explain.exposure" text={percent(row.exposure, 0)} />
      </dl>
      <Exposure row={row} />
      {flags && <p className="flags">{flags}</p>}
    </li>
  );
});

function Figure({ label, about, text }: { label: Key; about: Key; text: string }) {
  const { t } = usePreferences();
  return (
    <div>
      <dt>{t(label)}</dt>
      <dd>
        <Num text={text} about={about} />
      </dd>
    </div>
  );
}

/** Net exposure left (short) or right (long) of the middle; the whole width is five times equity either way. */
function Exposure({ row }: { row: Standing }) {
  const net = approximate(row.exposureNet);
  const share = Math.min(1, Math.abs(net) / 5) * 50;
  const side = net < 0 ? { right: "50%", width: `${share}%` } : { left: "50%", width: `${share}%` };
  return (
    <div className="exposure" data-explain="exposure" aria-hidden="true">
      <span style={side} />
    </div>
  );
}

const WIDTH = 96;
const HEIGHT = 24;

function Sparkline({ series, hue }: { series: Series | undefined; hue: string }) {
  const times = series?.times ?? [];
  if (!series || times.length < 2) return <span className="spark" />;
  const values = sampled(series, grid(times[0]!, times.at(-1)!, 48)).filter((value) => value !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * WIDTH;
    const y = high === low ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg className="spark" data-hue={hue} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={points.join(" ")} fill="none" strokeWidth="1.25" />
    </svg>
  );
}
