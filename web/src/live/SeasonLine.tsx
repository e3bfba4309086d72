import { arenaTime, useMood, useNow } from "../arena";
import { countdown } from "../format";
import { isKey } from "../i18n";
import { usePreferences } from "../settings";
import type { Picture } from "../stream/store";
import { explained } from "./Num";
import { dayOf, roundAfter } from "./rounds";

/** The next round and the time until it opens; stands still while the page is paused. */
export function useNextRound(picture: Picture): { number: number; time: string } | null {
  const { paused } = useMood();
  const now = useNow(500);
  if (!picture.season || !picture.at || picture.phase === "finished") return null;
  const at = paused ? picture.at : arenaTime(picture, now);
  const next = roundAfter(picture.season, at);
  return next && { number: next.number, time: countdown(next.opensAt - at) };
}

export function SeasonLine({ picture }: { picture: Picture }) {
  const { t } = usePreferences();
  const next = useNextRound(picture);
  const { season, phase } = picture;
  if (!season) return <p className="season skeleton-line" />;
  const { day, days } = dayOf(season, picture.at);
  const key = `phase.${phase}`;
  return (
    <p className="season">
      <strong>{season.name}</strong>
      {isKey(key) && <> · {t(key)}</>}
      {" · "}
      {days === null ? t("season.day", { day }) : t("season.dayOf", { day: Math.min(day, days), days })}
      {next && (
        <>
          {" · "}
          <span className="num" {...explained("explain.round")}>
            {t("season.round", { round: next.number.toLocaleString("en"), time: next.time })}
          </span>
        </>
      )}
    </p>
  );
}
