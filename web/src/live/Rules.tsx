import type { ReactNode } from "react";
import { asset, dateTime, percent, quantity, usd } from "../format";
import type { Key } from "../i18n";
import { usePreferences } from "../settings";
import type { Picture } from "../stream/store";

export function RulesTab({ picture }: { picture: Picture }) {
  const { t, zone } = usePreferences();
  const { season } = picture;
  if (!season) return <p className="empty">{t("rules.empty")}</p>;
  const { rules } = season;
  const dollars = (value: string) => t("unit.usd", { value: usd(value) });
  const seconds = (value: number) => t("unit.seconds", { value });
  const period = `${dateTime(Date.parse(season.starts_at), zone)} – ${
    season.ends_at ? dateTime(Date.parse(season.ends_at), zone) : t("rules.open")
  }`;
  const fees =
    rules.maker_fee_rate && rules.taker_fee_rate
      ? `${percent(rules.maker_fee_rate, 3)} / ${percent(rules.taker_fee_rate, 3)}`
      : t("rules.feesOwn");
  const band = rules.price_band === null
    ? t("rules.bandOkx")
    : t("rules.bandValue", { value: percent(rules.price_band, 1) });
  const lines: readonly [Key, ReactNode][] = [
    ["rules.period", period],
    ["rules.venue", season.venue],
    ["rules.clock", t(`rules.clock.${season.clock}`)],
    ["rules.instruments", rules.instruments.map(asset).join(" ")],
    ["rules.capital", dollars(rules.capital)],
    ["rules.cadence", seconds(rules.cadence_s)],
    ["rules.deadline", seconds(rules.deadline_s)],
    ["rules.execution", t(`rules.execution.${rules.execution}`, { ms: rules.latency_ms })],
    ["rules.leverage", `${quantity(rules.leverage_max)}×`],
    ["rules.order", dollars(rules.order_notional_max)],
    ["rules.position", dollars(rules.position_notional_max)],
    ["rules.positions", rules.positions_max],
    ["rules.band", band],
    ["rules.stale", seconds(rules.price_stale_s)],
    ["rules.fees", fees],
    ["rules.hash", <code className="hash">{season.rules_sha256}</code>],
  ];
  return (
    <div className="rules">
      <h3>{t("rules.how")}</h3>
      <ol>
        {(["rules.how.1", "rules.how.2", "rules.how.3", "rules.how.4"] as const).map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ol>
      <h3>{t("rules.title")}</h3>
      <dl>
        {lines.map(([label, value]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="note">{t("app.disclaimer")}</p>
    </div>
  );
}
