import { streamUrl, useArena, useMood, useNow, usePicture } from "../arena";
import { dateTime, percentSigned, usd } from "../format";
import { usePreferences } from "../settings";
import type { Standing } from "../standings";
import { relativeAge } from "./ages";
import { STALE_MS } from "./Header";

/** What is the matter, what it means for what you see, and what you can do. */
export function Banner({ winner }: { winner: Standing | undefined }) {
  const { t, zone, language } = usePreferences();
  const { connection } = useArena();
  const { link, paused } = useMood();
  const { ready, receivedAt, phase } = usePicture();
  const now = useNow();
  const time = dateTime(receivedAt, zone);

  if (link.state === "waiting" || (link.state === "connecting" && link.attempt > 0)) {
    const text = ready ? t("banner.lost", { time }) : t("banner.never", { url: streamUrl(), attempt: link.attempt });
    return (
      <div className="banner" data-tone="warning">
        <p>{text}</p>
        <button type="button" onClick={() => connection.retry()}>
          {t("status.retry")}
        </button>
      </div>
    );
  }
  if (phase === "finished" && winner) {
    const { competitor, equity, returnRate } = winner;
    const told = { name: competitor.name, equity: usd(equity), return: percentSigned(returnRate) };
    return <Line text={t("banner.finished", told)} />;
  }
  if (ready && !paused && now - receivedAt > STALE_MS)
    return <Line text={t("banner.stale", { age: relativeAge(now - receivedAt, language), time })} />;
  return null;
}

function Line({ text }: { text: string }) {
  return (
    <div className="banner">
      <p>{text}</p>
    </div>
  );
}
