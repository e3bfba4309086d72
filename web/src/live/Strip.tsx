// The line under the header: prices, and who is first and last.
import { decimal, divide, sign, subtract } from "../decimal";
import { asset, percentSigned, price, usd } from "../format";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import type { Mark as MarkEvent } from "../stream/protocol";
import type { Picture } from "../stream/store";
import { Mark } from "./Mark";
import { Num } from "./Num";

export function Strip({ picture, rows }: { picture: Picture; rows: readonly Standing[] }) {
  const { t } = usePreferences();
  const order = picture.season?.rules.instruments ?? Object.keys(picture.marks).sort();
  const marks = order.flatMap((instrument) => picture.marks[instrument] ?? []);
  const [first, last] = [rows[0], rows.at(-1)];
  return (
    <div className="strip">
      <ul className="ticker" aria-label={t("ticker.label")} tabIndex={0}>
        {marks.length === 0 && <li className="faint">{t("ticker.empty")}</li>}
        {marks.map((mark) => (
          <Price
            key={mark.instrument}
            mark={mark}
            first={picture.firstMarks[mark.instrument]}
            tick={picture.ticks[mark.instrument]}
          />
        ))}
      </ul>
      {first && last && first !== last && (
        <p className="ends">
          <End label={t("ticker.first")} standing={first} />
          <End label={t("ticker.last")} standing={last} />
        </p>
      )}
    </div>
  );
}

function Price({ mark, first, tick }: { mark: MarkEvent; first: MarkEvent | undefined; tick: string | undefined }) {
  const start = decimal((first ?? mark).mark_price);
  const change = divide(subtract(decimal(mark.mark_price), start), start);
  return (
    <li>
      <span className="asset">{asset(mark.instrument)}</span>{" "}
      <Num text={price(mark.mark_price, tick)} about="explain.mark" at={Date.parse(mark.at)} />{" "}
      {change && <Num text={percentSigned(change)} tone={sign(change)} about="explain.mark" />}
    </li>
  );
}

function End({ label, standing }: { label: string; standing: Standing }) {
  const { competitor, equity, returnRate, at } = standing;
  return (
    <span className="end">
      <span className="faint">{label}</span> <Mark competitor={competitor} />{" "}
      <span className="sr-only">{competitor.name}</span>
      <Num text={usd(equity)} about="explain.equity" at={at} />{" "}
      <Num text={percentSigned(returnRate)} tone={sign(returnRate)} about="explain.return" at={at} />
    </span>
  );
}
