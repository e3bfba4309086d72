import { type KeyboardEvent, useRef } from "react";
import { asset } from "../format";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import type { Picture } from "../stream/store";
import { Chat } from "./Chat";
import { Select } from "./Choice";
import { Positions } from "./Positions";
import { RulesTab } from "./Rules";
import { Trades } from "./Trades";

export const TABS = ["trades", "chat", "positions", "rules"] as const;
export type Tab = (typeof TABS)[number];

/** What a feed is narrowed to; an empty string means all. */
export interface Filter {
  model: string;
  asset: string;
}

interface Props {
  picture: Picture;
  rows: readonly Standing[];
  tab: Tab;
  filter: Filter;
  onTab: (tab: Tab) => void;
  onFilter: (filter: Filter) => void;
}

export function Feeds({ picture, rows, tab, filter, onTab, onFilter }: Props) {
  const { t } = usePreferences();
  const list = useRef<HTMLDivElement>(null);
  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!by) return;
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length]!;
    onTab(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <section className="feeds" aria-label={t(`tab.${tab}`)}>
      <div className="tabs" role="tablist" ref={list} onKeyDown={step} aria-label={t("app.name")}>
        {TABS.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={name === tab}
            aria-controls="feed"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => onTab(name)}
          >
            {t(`tab.${name}`)}
          </button>
        ))}
      </div>
      {tab !== "rules" && <Filters picture={picture} rows={rows} filter={filter} onFilter={onFilter} />}
      <div className="feed" id="feed" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === "trades" && <Trades picture={picture} filter={filter} />}
        {tab === "chat" && <Chat picture={picture} filter={filter} />}
        {tab === "positions" && <Positions picture={picture} rows={rows} filter={filter} />}
        {tab === "rules" && <RulesTab picture={picture} />}
      </div>
    </section>
  );
}

function Filters(props: Pick<Props, "picture" | "rows" | "filter" | "onFilter">) {
  const { t } = usePreferences();
  const { filter, onFilter } = props;
  const models = [...props.rows].map(({ competitor }) => [competitor.competitor_id, competitor.name] as const);
  models.sort((a, b) => a[1].localeCompare(b[1]));
  const assets = (props.picture.season?.rules.instruments ?? []).map((id) => [id, asset(id)] as const);
  return (
    <div className="filters">
      <Select
        label={t("filter.model")}
        value={filter.model}
        options={[["", t("filter.allModels")], ...models]}
        onChange={(model) => onFilter({ ...filter, model })}
      />
      <Select
        label={t("filter.asset")}
        value={filter.asset}
        options={[["", t("filter.allAssets")], ...assets]}
        onChange={(chosen) => onFilter({ ...filter, asset: chosen })}
      />
    </div>
  );
}

export const matches = (filter: Filter, model: string, instrument: string | null): boolean =>
  (!filter.model || filter.model === model) && (!filter.asset || filter.asset === instrument);
