import { arenaTime, useNow } from "../arena";
import { dateTime, relative } from "../format";
import { usePreferences } from "../settings";
import type { Picture } from "../stream/store";

/** Relative, and absolute on hover. */
export function Ago({ at, picture }: { at: number; picture: Picture }) {
  const { language, zone } = usePreferences();
  const now = useNow(5_000);
  return (
    <time className="ago faint" dateTime={new Date(at).toISOString()} title={dateTime(at, zone)}>
      {relative(arenaTime(picture, now) - at, language)}
    </time>
  );
}
