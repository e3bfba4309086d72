import { memo, useState } from "react";
import { decimal, sign } from "../decimal";
import { asset, fixed, NONE, price, quantity, usd, usdSigned } from "../format";
import { usePreferences } from "../settings";
import type { Competitor } from "../stream/protocol";
import type { ClosedTrade } from "../stream/protocol";
import type { Picture } from "../stream/store";
import { closing, type Trade } from "../stream/trades";
import { Ago } from "./Ago";
import { held } from "./ages";
import { type Filter, matches } from "./Feeds";
import { Mark } from "./Mark";
import { Num } from "./Num";

/** A phone shows the feed in the page itself: what is below it must stay within reach. */
const STEP = 40;

export function Trades({ picture, filter }: { picture: Picture; filter: Filter }) {
  const { t } = usePreferences();
  const [most, setMost] = useState(STEP);
  const shown = picture.trades.filter((trade) => matches(filter, trade.competitor, trade.instrument));
  const rest = shown.length - most;
  if (shown.length === 0) return <p className="empty">{t(picture.trades.length ? "trades.none" : "trades.empty")}</p>;
  return (
    <>
      <ol className="items" aria-label={t("tab.trades")}>
        {shown.slice(0, most).map((trade) => (
          <Item
            key={trade.id}
            trade={trade}
            competitor={picture.competitors[trade.competitor]}
            closed={picture.closed.get(closing(trade.competitor, trade.instrument, trade.at))}
            tick={picture.ticks[trade.instrument]}
          />
        ))}
      </ol>
      {rest > 0 && (
        <button type="button" className="more" onClick={() => setMost(most + STEP)}>
          {t("trades.more", { count: Math.min(rest, STEP) })}
        </button>
      )}
      <p className="note">{t("trades.scope", { count: picture.trades.length })}</p>
    </>
  );
}

interface ItemProps {
  trade: Trade;
  competitor: Competitor | undefined;
  closed: ClosedTrade | undefined;
  tick: string | undefined;
}

/** Reads as a sentence: who did what in which asset; a closing one tells the whole trade. */
const Item = memo(function Item({ trade, competitor, closed, tick }: ItemProps) {
  const { t } = usePreferences();
  const deed = t(`trade.${trade.deed}.${trade.direction}`, { asset: asset(trade.instrument) });
  return (
    <li className="item trade">
      <p className="sentence">
        {competitor && <Mark competitor={competitor} />}
        <span>
          <strong>{competitor?.name ?? trade.competitor}</strong> {deed}
          {trade.purpose !== "decision" && <em className="purpose"> · {t(`trade.purpose.${trade.purpose}`)}</em>}
        </span>
        <Ago at={trade.at} />
      </p>
      {closed ? <Whole trade={closed} tick={tick} /> : <Single trade={trade} tick={tick} />}
    </li>
  );
});

function Single({ trade, tick }: { trade: Trade; tick: string | undefined }) {
  const { t } = usePreferences();
  return (
    <p className="figures">
      <Num text={quantity(trade.quantity)} about="explain.quantity" at={trade.at} /> {asset(trade.instrument)} @{" "}
      <Num text={price(trade.price, tick)} about="explain.tradePrice" at={trade.at} />
      <span className="sep" />
      {t("trade.fees")} <Num text={usd(trade.fee)} about="explain.fees" at={trade.at} />
      <span className="sep" />
      {t(`trade.${trade.liquidity}`)}
      {trade.fills > 1 && (
        <>
          <span className="sep" />
          {t("trade.fills", { count: trade.fills })}
        </>
      )}
    </p>
  );
}

function Whole({ trade, tick }: { trade: ClosedTrade; tick: string | undefined }) {
  const { t, language } = usePreferences();
  const at = Date.parse(trade.closed_at);
  const net = decimal(trade.net);
  return (
    <>
      <p className="figures">
        <Num text={price(trade.entry_price, tick)} about="explain.tradePrice" at={at} /> →{" "}
        <Num text={price(trade.exit_price, tick)} about="explain.tradePrice" at={at} />
        <span className="sep" />
        <Num text={quantity(trade.quantity)} about="explain.quantity" at={at} /> {asset(trade.instrument)}
        <span className="sep" />
        {held(trade.held_s, language)}
      </p>
      <p className="figures">
        {t("trade.net")} <Num text={usdSigned(net)} tone={sign(net)} about="explain.net" at={at} className="strong" />
        <span className="sep" />
        {t("trade.fees")} <Num text={usd(trade.fees)} about="explain.fees" at={at} />
        <span className="sep" />
        {t("trade.funding")} <Num text={trade.funding ? fixed(trade.funding, 2) : NONE} about="explain.funding" at={at} />
      </p>
    </>
  );
}
