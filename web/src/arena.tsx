// The store and its connection, given to the page.
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { Connection } from "./stream/connection";
import { ArenaStore, type Mood, type Picture } from "./stream/store";

interface Arena {
  store: ArenaStore;
  connection: Connection;
}

const Context = createContext<Arena | null>(null);

/** Beside the page itself, so that it works behind any host name and path. */
export function streamUrl(): string {
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  return url.href;
}

function create(): Arena {
  const store = new ArenaStore();
  const connection = new Connection({
    url: streamUrl(),
    onFrame: (frame) => store.take(frame),
    onLink: (link) => store.setLink(link),
  });
  return { store, connection };
}

export function ArenaProvider({ children }: { children: ReactNode }) {
  const [arena] = useState(create);
  useEffect(() => {
    arena.connection.start();
    const back = () => arena.connection.retry();
    addEventListener("online", back);
    return () => {
      removeEventListener("online", back);
      arena.connection.stop();
    };
  }, [arena]);
  return <Context value={arena}>{children}</Context>;
}

export function useArena(): Arena {
  const arena = useContext(Context);
  if (!arena) throw new Error("ArenaProvider is missing above");
  return arena;
}

export function usePicture(): Picture {
  const { store } = useArena();
  return useSyncExternalStore(store.onPicture, store.picture);
}

export function useMood(): Mood {
  const { store } = useArena();
  return useSyncExternalStore(store.onMood, store.currentMood);
}

/** One timer a period, however many listen. */
class Clock {
  private now = Date.now();
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly everyMs: number) {}

  readonly read = (): number => this.now;

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.timer === undefined) this.now = Date.now();
    this.timer ??= setInterval(() => this.tick(), this.everyMs);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  };

  private tick(): void {
    this.now = Date.now();
    this.listeners.forEach((listener) => listener());
  }
}

const clocks = { 250: new Clock(250), 500: new Clock(500), 1000: new Clock(1000), 5000: new Clock(5000) };

/** Wall-clock time, again every `everyMs`. */
export function useNow(everyMs: keyof typeof clocks = 1000): number {
  const clock = clocks[everyMs];
  return useSyncExternalStore(clock.listen, clock.read);
}

const AHEAD_MS_MAX = 3_000;

/** Arena time goes on between frames, but never far beyond what was said. */
export const arenaTime = (picture: Picture, now: number): number =>
  picture.at + Math.min(AHEAD_MS_MAX, Math.max(0, now - picture.receivedAt));
