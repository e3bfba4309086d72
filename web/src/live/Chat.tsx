import { memo } from "react";
import { asset, measured, percent, price, quantity } from "../format";
import { isKey, type Key } from "../i18n";
import { usePreferences } from "../settings";
import type { Decision, Verdict } from "../stream/decisions";
import type { Check, Competitor, Signal } from "../stream/protocol";
import type { Picture } from "../stream/store";
import { Ago } from "./Ago";
import { type Filter } from "./Feeds";
import { Mark, Offline } from "./Mark";
import { explained } from "./Num";

const concerns = (decision: Decision, filter: Filter): boolean =>
  (!filter.model || decision.competitor === filter.model) &&
  (!filter.asset || decision.parts.some((part) => part.instrument === filter.asset));

export function Chat({ picture, filter }: { picture: Picture; filter: Filter }) {
  const { t } = usePreferences();
  const shown = picture.decisions.filter((decision) => concerns(decision, filter));
  if (shown.length === 0) return <p className="empty">{t(picture.decisions.length ? "chat.none" : "chat.empty")}</p>;
  return (
    <ol className="items" aria-label={t("tab.chat")}>
      {shown.map((decision) => (
        <Item
          key={decision.id}
          decision={decision}
          competitor={picture.competitors[decision.competitor]}
          ticks={picture.ticks}
          asset={filter.asset}
        />
      ))}
    </ol>
  );
}

interface ItemProps {
  decision: Decision;
  competitor: Competitor | undefined;
  ticks: Readonly<Record<string, string>>;
  /** Only what concerns this instrument; empty for all. */
  asset: string;
}

const Item = memo(function Item({ decision, competitor, ticks, asset: only }: ItemProps) {
  const { t } = usePreferences();
  return (
    <li className="item decision">
      <p className="sentence">
        <Who competitor={competitor} id={decision.competitor} />
        <Offline competitor={competitor} offline={decision.offline} />
        <span className="faint" {...explained("explain.round")}>
          {t("chat.round", { round: decision.round.toLocaleString("en") })}
        </span>
        <Ago at={decision.at} />
      </p>
      <Said decision={decision} ticks={ticks} asset={only} />
    </li>
  );
});

function Who({ competitor, id }: { competitor: Competitor | undefined; id: string }) {
  return (
    <>
      {competitor && <Mark competitor={competitor} />}
      <strong>{competitor?.name ?? id}</strong>
    </>
  );
}

function Said({ decision, ticks, asset: only }: Omit<ItemProps, "competitor">) {
  const { t } = usePreferences();
  if (decision.missed) return <Missed missed={decision.missed} />;
  const parts = decision.parts.filter((part) => !only || part.instrument === only);
  const deeds = parts.filter((part) => part.action !== "hold");
  const holds = parts.filter((part) => part.action === "hold");
  return (
    <>
      {deeds.map((part) => (
        <Deed key={part.event_id} part={part} verdict={decision.verdicts[part.event_id]} tick={ticks[part.instrument ?? ""]} />
      ))}
      {holds.length > 0 && (
        <p className="held">
          <span className="action">{holds.some((part) => part.instrument) ? t("chat.hold") : t("chat.holdAll")}</span>{" "}
          {holds.flatMap((part) => (part.instrument ? [asset(part.instrument)] : [])).join(" ")}
        </p>
      )}
      {deeds.length === 0 && holds[0]?.justification && <p className="reason">{holds[0].justification}</p>}
    </>
  );
}

function Missed({ missed }: { missed: { reason: string; detail: string } }) {
  const { t } = usePreferences();
  const key = `miss.${missed.reason}`;
  return (
    <p className="verdict" data-verdict="missed" title={missed.detail}>
      <span aria-hidden="true">○</span> {t("chat.missed")}: {isKey(key) ? t(key) : missed.reason}
    </p>
  );
}

const ACTION = {
  buy_to_enter: "chat.long",
  sell_to_enter: "chat.short",
  close_position: "chat.close",
  hold: "chat.hold",
} as const satisfies Record<Signal["action"], Key>;

function Deed({ part, verdict, tick }: { part: Signal; verdict: Verdict | undefined; tick: string | undefined }) {
  const { t } = usePreferences();
  const plan = part.exit_plan;
  const terms = [
    part.limit_price ? t("chat.limit", { price: price(part.limit_price, tick) }) : "",
    plan?.take_profit ? t("chat.target", { price: price(plan.take_profit, tick) }) : "",
    plan?.stop_loss ? t("chat.stop", { price: price(plan.stop_loss, tick) }) : "",
  ].filter(Boolean);
  return (
    <div className="deed">
      <p>
        <span className="action">{t(ACTION[part.action])}</span>{" "}
        {part.quantity && <span className="num">{quantity(part.quantity)} </span>}
        <strong>{part.instrument ? asset(part.instrument) : ""}</strong>
        {part.leverage && <span className="num" {...explained("explain.leverage")}> {quantity(part.leverage)}×</span>}
        {part.confidence && (
          <span className="faint" {...explained("explain.confidence")}>
            {" "}
            · {t("chat.confidence", { value: percent(part.confidence, 0) })}
          </span>
        )}
      </p>
      {terms.length > 0 && <p className="terms num">{terms.join(" · ")}</p>}
      {part.justification && <p className="reason">{part.justification}</p>}
      <Judgement verdict={verdict} />
    </div>
  );
}

function Judgement({ verdict }: { verdict: Verdict | undefined }) {
  const { t } = usePreferences();
  if (!verdict) return <p className="verdict">{t("chat.pending")}</p>;
  const head = verdict.kind === "approved" ? <Approval /> : <Refusal verdict={verdict} />;
  if (verdict.checks.length === 0) return head;
  return (
    <details className="checks">
      <summary>{head}</summary>
      <ul>
        {verdict.checks.map((check) => (
          <CheckLine key={check.rule} check={check} />
        ))}
      </ul>
    </details>
  );
}

function Approval() {
  const { t } = usePreferences();
  return (
    <span className="verdict" data-verdict="approved" {...explained("explain.verdict")}>
      <span aria-hidden="true">✓</span> {t("chat.approved")}
    </span>
  );
}

function Refusal({ verdict }: { verdict: Verdict & { kind: "rejected" } }) {
  const { t } = usePreferences();
  const key = `code.${verdict.code}`;
  const { value, limit, unit } = verdict;
  return (
    <span className="verdict" data-verdict="rejected" {...explained("explain.verdict")}>
      <span aria-hidden="true">✕</span> {t("chat.rejected")}: {isKey(key) ? t(key) : verdict.code}
      {value !== null && limit !== null && (
        <span className="num"> ({t("chat.numbers", { value: measured(value, unit), limit: measured(limit, unit) })})</span>
      )}{" "}
      <code>{verdict.code}</code>
    </span>
  );
}

function CheckLine({ check }: { check: Check }) {
  const numbers = [check.value, check.limit].flatMap((n) => (n === null ? [] : [measured(n, check.unit)]));
  return (
    <li>
      <span aria-hidden="true">{check.passed ? "✓" : "✕"}</span> {check.rule.replaceAll("_", " ")}
      {numbers.length > 0 && <span className="num faint"> {numbers.join(" / ")}</span>}
    </li>
  );
}
