import { arenaTime, useArena, useNow } from "../arena";
import { dateTime, relative } from "../format";
import { usePreferences } from "../settings";

/** Relative, and absolute on hover. */
export function Ago({ at }: { at: number }) {
  const { language, zone } = usePreferences();
  const { store } = useArena();
  const now = Math.max(useNow(5000), store.picture().receivedAt);
  return (
    <time className="ago faint" dateTime={new Date(at).toISOString()} title={dateTime(at, zone)}>
      {relative(arenaTime(store.picture(), now) - at, language)}
    </time>
  );
}
