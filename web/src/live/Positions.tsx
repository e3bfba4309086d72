import { absolute, type Decimal, decimal, divide, sign, subtract } from "../decimal";
import { asset, percent, price, quantity, usd, usdSigned } from "../format";
import type { Key } from "../i18n";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import type { Portfolio, Position } from "../stream/protocol";
import type { Picture } from "../stream/store";
import { type Filter, matches } from "./Feeds";
import { Identity } from "./Mark";
import { explained, Num } from "./Num";

interface Props {
  picture: Picture;
  rows: readonly Standing[];
  filter: Filter;
}

export function Positions({ picture, rows, filter }: Props) {
  const { t } = usePreferences();
  const groups = rows.flatMap(({ competitor }) => {
    const portfolio = picture.portfolios[competitor.competitor_id];
    const open = portfolio?.positions.filter((p) => matches(filter, competitor.competitor_id, p.instrument)) ?? [];
    return portfolio && open.length > 0 ? [{ competitor, portfolio, open }] : [];
  });
  const some = Object.values(picture.portfolios).some((portfolio) => portfolio.positions.length > 0);
  if (groups.length === 0) return <p className="empty">{t(some ? "positions.none" : "positions.empty")}</p>;
  return (
    <>
      {groups.map(({ competitor, portfolio, open }) => (
        <section className="group" key={competitor.competitor_id} aria-label={competitor.name}>
          <h3>
            <Identity competitor={competitor} />
            <Totals portfolio={portfolio} />
          </h3>
          <table>
            <thead>
              <tr>
                {HEAD.map(([label, about]) => (
                  <th key={label} scope="col" {...(about ? explained(about) : {})}>
                    {t(label)}
                  </th>
                ))}
              </tr>
            </thead>
            {open.map((position) => (
              <Row
                key={position.instrument}
                position={position}
                tick={picture.ticks[position.instrument]}
                at={Date.parse(portfolio.at)}
              />
            ))}
          </table>
        </section>
      ))}
    </>
  );
}

const HEAD: readonly [Key, Key | null][] = [
  ["positions.asset", null],
  ["positions.quantity", "explain.quantity"],
  ["positions.entry", "explain.entry"],
  ["positions.mark", "explain.mark"],
  ["positions.pnl", "explain.unrealised"],
];

function Totals({ portfolio }: { portfolio: Portfolio }) {
  const { t } = usePreferences();
  const at = Date.parse(portfolio.at);
  const unrealised = decimal(portfolio.unrealised_pnl);
  return (
    <span className="totals">
      {t("positions.unrealised")}{" "}
      <Num text={usdSigned(unrealised)} tone={sign(unrealised)} about="explain.unrealised" at={at} />
      <span className="sep" />
      {t("positions.cash")} <Num text={usd(portfolio.margin_available)} about="explain.cash" at={at} />
    </span>
  );
}

function Row({ position, tick, at }: { position: Position; tick: string | undefined; at: number }) {
  const { t } = usePreferences();
  const pnl = decimal(position.unrealised_pnl);
  const size = decimal(position.quantity);
  return (
    <tbody>
      <tr>
        <th scope="row">
          {asset(position.instrument)} <span className="side">{t(sign(size) < 0 ? "positions.short" : "positions.long")}</span>{" "}
          <span className="num faint" {...explained("explain.leverage")}>
            {quantity(position.leverage)}×
          </span>
        </th>
        <td>
          <Num text={quantity(absolute(size))} about="explain.quantity" at={at} />
        </td>
        <td>
          <Num text={price(position.entry_price, tick)} about="explain.entry" at={at} />
        </td>
        <td>
          <Num text={price(position.mark_price, tick)} about="explain.mark" at={at} />
        </td>
        <td>
          <Num text={usdSigned(pnl)} tone={sign(pnl)} about="explain.unrealised" at={at} />
        </td>
      </tr>
      <tr className="plan">
        <td colSpan={5}>
          <Plan position={position} tick={tick} />
        </td>
      </tr>
    </tbody>
  );
}

function Plan({ position, tick }: { position: Position; tick: string | undefined }) {
  const { t } = usePreferences();
  const mark = decimal(position.mark_price);
  const told = (key: Key, at: string | null | undefined) =>
    at ? [t(key, { price: price(at, tick), distance: percent(distance(mark, decimal(at)), 1) })] : [];
  const plan = position.exit_plan;
  const parts = [
    ...told("positions.takeProfit", plan?.take_profit),
    ...told("positions.stopLoss", plan?.stop_loss),
    ...told("positions.liquidation", position.liquidation_price),
  ];
  return (
    <>
      <span {...explained("explain.planDistance")}>{parts.join(" · ") || t("positions.noPlan")}</span>
      {plan?.invalidation && <span className="words">{plan.invalidation}</span>}
    </>
  );
}

const distance = (mark: Decimal, level: Decimal): Decimal =>
  divide(absolute(subtract(level, mark)), mark) ?? { units: 0n, scale: 0 };
