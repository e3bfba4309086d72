import { useMood, useNow } from "../arena";
import { dateTime } from "../format";
import { usePreferences } from "../settings";
import type { Picture } from "../stream/store";
import { relativeAge } from "./ages";
import { explained } from "./Num";
import { useNextRound } from "./SeasonLine";

export function Footer({ picture }: { picture: Picture }) {
  const { t } = usePreferences();
  const next = useNextRound(picture);
  const { closed, missed } = picture.round;
  return (
    <footer className="bottom" aria-label={t("footer.label")}>
      <Books picture={picture} />
      {closed > 0 && (
        <span className="num" {...explained("explain.round")}>
          {t("footer.closed", { round: closed.toLocaleString("en"), missed })}
        </span>
      )}
      {next && (
        <span className="num" {...explained("explain.round")}>
          {t("footer.round", { round: next.number.toLocaleString("en"), time: next.time })}
        </span>
      )}
      {picture.ready && <Age picture={picture} />}
      <Latency picture={picture} />
      <span className="faint">
        {t("app.disclaimer")} <a href="https://www.tradingview.com/">{t("app.charts")}</a>
      </span>
    </footer>
  );
}

function Books({ picture }: { picture: Picture }) {
  const { t, zone } = usePreferences();
  const portfolios = Object.values(picture.portfolios);
  if (portfolios.length === 0) return <span {...explained("explain.books")}>{t("footer.booksUnknown")}</span>;
  const balanced = picture.health.books_balanced !== false && portfolios.every((portfolio) => portfolio.books_balanced);
  return (
    <span className="books" data-balanced={balanced} {...explained("explain.books", picture.at)}>
      {t(balanced ? "footer.books" : "footer.booksBad")}{" "}
      <span className="num">{dateTime(picture.at, zone).slice(11)}</span>{" "}
      <span aria-hidden="true">{balanced ? "✓" : "✕"}</span>
    </span>
  );
}

function Age({ picture }: { picture: Picture }) {
  const { t, language } = usePreferences();
  const { paused } = useMood();
  const now = useNow(500);
  if (paused) return null;
  return (
    <span className="num" {...explained("explain.age")}>
      {t("footer.age", { age: relativeAge(now - picture.receivedAt, language) })}
    </span>
  );
}

function Latency({ picture }: { picture: Picture }) {
  const { t } = usePreferences();
  const { fill_to_frame_ms: half, fill_to_frame_ms_p99: most } = picture.health;
  if (typeof half !== "number" || typeof most !== "number") return null;
  return (
    <span className="num" {...explained("explain.latency")}>
      {t("footer.latency", { half: Math.round(half), most: Math.round(most) })}
    </span>
  );
}
