import { memo, useState } from "react";
import { sign } from "../decimal";
import { percent, percentSigned, NONE, usd, usdSigned } from "../format";
import type { Key } from "../i18n";
import { usePreferences } from "../settings";
import { type SortKey, sorted, type Standing } from "../standings";
import { Select } from "./Choice";
import { Mark, Offline } from "./Mark";
import { explained, Num } from "./Num";

export interface Order {
  key: SortKey;
  ascending: boolean;
}

const COLUMNS: readonly [SortKey, Key, Key | null][] = [
  ["rank", "board.rank", "explain.rank"],
  ["competitor", "board.competitor", null],
  ["equity", "board.equity", "explain.equity"],
  ["returnRate", "board.return", "explain.return"],
  ["pnl", "board.pnl", "explain.pnl"],
  ["fees", "board.fees", "explain.fees"],
  ["drawdown", "board.drawdown", "explain.drawdown"],
  ["winRate", "board.winRate", "explain.winRate"],
  ["trades", "board.trades", "explain.trades"],
  ["fills", "board.fills", "explain.fills"],
  ["exposure", "board.exposure", "explain.exposure"],
];

const ascendingFirst = (key: SortKey): boolean => key === "rank" || key === "competitor";

export function useOrder() {
  const [order, setOrder] = useState<Order>({ key: "rank", ascending: true });
  const by = (key: SortKey) =>
    setOrder((now) => ({ key, ascending: now.key === key ? !now.ascending : ascendingFirst(key) }));
  return { order, by, set: setOrder };
}

interface Props {
  rows: readonly Standing[];
  /** Whose latest answer came from a stand-in. */
  offline: Readonly<Record<string, boolean>>;
  selected: string;
  onSelect: (competitor: string) => void;
}

export function Leaderboard({ rows, offline, selected, onSelect }: Props) {
  const { t } = usePreferences();
  const { order, by } = useOrder();
  return (
    <section className="board" id="leaderboard" aria-labelledby="board-title">
      <h2 id="board-title">{t("board.title")}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-labelledby="board-title">
        <table>
          <thead>
            <tr>
              {COLUMNS.map(([key, label, about]) => (
                <th key={key} scope="col" aria-sort={ariaSort(order, key)}>
                  <button type="button" onClick={() => by(key)} {...(about ? explained(about) : {})}>
                    {t(label)}
                    <span className="arrow" aria-hidden="true">
                      {order.key === key ? (order.ascending ? "↑" : "↓") : ""}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted(rows, order.key, order.ascending).map((row) => (
              <Row
                key={row.competitor.competitor_id}
                row={row}
                selected={selected === row.competitor.competitor_id}
                offline={offline[row.competitor.competitor_id] ?? false}
                onSelect={onSelect}
              />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p className="empty">{t("board.empty")}</p>}
      <p className="note">{t("board.scope")}</p>
    </section>
  );
}

function ariaSort(order: Order, key: SortKey): "ascending" | "descending" | "none" {
  return order.key !== key ? "none" : order.ascending ? "ascending" : "descending";
}

interface RowProps {
  row: Standing;
  selected: boolean;
  offline: boolean;
  onSelect: (competitor: string) => void;
}

const Row = memo(function Row({ row, selected, offline, onSelect }: RowProps) {
  const { t } = usePreferences();
  const { competitor, at } = row;
  const id = competitor.competitor_id;
  return (
    <tr data-selected={selected} data-competitor={id}>
      <td>
        <Num text={String(row.rank)} about="explain.rank" />
      </td>
      <th scope="row">
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
        <Offline competitor={competitor} offline={offline} />
      </th>
      <td>
        <Num text={usd(row.equity)} about="explain.equity" at={at} className="strong" />
      </td>
      <td>
        <Num text={percentSigned(row.returnRate)} tone={sign(row.returnRate)} about="explain.return" at={at} />
      </td>
      <td>
        <Num text={usdSigned(row.pnl)} tone={sign(row.pnl)} about="explain.pnl" at={at} />
      </td>
      <td>
        <Num text={usd(row.fees)} about="explain.fees" at={at} />
      </td>
      <td>
        <Num text={percent(row.drawdown)} about="explain.drawdown" at={at} />
      </td>
      <td>
        <Num text={row.winRate ? percent(row.winRate, 0) : NONE} about="explain.winRate" at={at} />
      </td>
      <td>
        <Num text={String(row.trades)} about="explain.trades" at={at} />
      </td>
      <td>
        <Num text={String(row.fills)} about="explain.fills" at={at} />
      </td>
      <td>
        <Num text={percent(row.exposure, 0)} about="explain.exposure" at={at} />
      </td>
    </tr>
  );
}, sameRow);

function sameRow(a: RowProps, b: RowProps): boolean {
  const [x, y] = [a.row, b.row];
  const same = x.rank === y.rank && x.at === y.at && x.fills === y.fills && x.equity.units === y.equity.units;
  return same && x.competitor === y.competitor && a.selected === b.selected && a.onSelect === b.onSelect;
}

export function SortSelect({ order, onChange }: { order: Order; onChange: (order: Order) => void }) {
  const { t } = usePreferences();
  return (
    <Select
      label={t("board.sort")}
      value={order.key}
      options={COLUMNS.map(([key, label]) => [key, key === "rank" ? t("board.equity") : t(label)] as const).filter(
        ([key]) => key !== "equity",
      )}
      onChange={(key) => onChange({ key, ascending: ascendingFirst(key) })}
    />
  );
}
