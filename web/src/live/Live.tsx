import { useCallback, useMemo, useState } from "react";
import { useMood, usePicture } from "../arena";
import { usePreferences } from "../settings";
import { standings } from "../standings";
import { Banner } from "./Banner";
import { Cards } from "./Cards";
import { Chart } from "./Chart";
import type { Range, Unit } from "./chart/lines";
import { Explainer } from "./Explainer";
import { Feeds, type Filter, type Tab, TABS } from "./Feeds";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { Leaderboard } from "./Leaderboard";
import { SeasonLine } from "./SeasonLine";
import { Skeleton } from "./Skeleton";
import { Strip } from "./Strip";
import { fromAddress, toAddress, useAddress } from "./useAddress";

export function Live() {
  const { t } = usePreferences();
  const picture = usePicture();
  const { link } = useMood();
  const rows = useMemo(() => standings(picture), [picture]);
  const [tab, setTab] = useAddress<Tab>("tab", TABS, "trades");
  const [unit, setUnit] = useAddress<Unit>("unit", ["usd", "percent"], "usd");
  const [range, setRange] = useAddress<Range>("range", ["1h", "1d", "3d", "all"], "all");
  const [filter, setFilter] = useState<Filter>(() => ({ model: fromAddress("model"), asset: fromAddress("asset") }));
  const narrow = useCallback((next: Filter) => {
    setFilter(next);
    toAddress({ model: next.model, asset: next.asset });
  }, []);
  const select = useCallback((model: string) => narrow({ ...filter, model }), [filter, narrow]);
  const lost = link.state !== "live" && picture.ready;
  return (
    <>
      <a className="skip" href="#leaderboard">
        {t("app.skip")}
      </a>
      <Header />
      <Banner winner={rows[0]} />
      <div className="page" data-lost={lost} data-ready={picture.ready}>
        <Strip picture={picture} rows={rows} />
        <main>
          <h1 className="sr-only">
            {t("app.name")} · {t("nav.live")}
          </h1>
          <div className="left">
            <SeasonLine picture={picture} />
            {picture.ready ? (
              <>
                <Chart
                  picture={picture}
                  rows={rows}
                  selected={filter.model}
                  onSelect={select}
                  unit={unit}
                  range={range}
                  onUnit={setUnit}
                  onRange={setRange}
                />
                <Leaderboard rows={rows} offline={picture.offline} selected={filter.model} onSelect={select} />
                <Cards picture={picture} rows={rows} selected={filter.model} onSelect={select} />
              </>
            ) : (
              <Skeleton />
            )}
          </div>
          <Feeds picture={picture} rows={rows} tab={tab} onTab={setTab} filter={filter} onFilter={narrow} />
        </main>
        <Footer picture={picture} />
      </div>
      <Explainer />
    </>
  );
}
