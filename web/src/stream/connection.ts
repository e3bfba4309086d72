// One WebSocket that comes back: exponential back-off with jitter, resume by `since` and `epoch`, else a snapshot.
import type { Frame } from "./protocol";

export type Link =
  | { state: "connecting"; attempt: number }
  | { state: "live" }
  | { state: "waiting"; attempt: number; retryAt: number };

interface Options {
  url: string;
  onFrame: (frame: Frame) => void;
  onLink: (link: Link) => void;
  open?: (url: string) => WebSocket;
  random?: () => number;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server says something at least every five seconds. */
const SILENCE_MS = 12_000;

/** Between half and all of the doubled wait: a crowd that fell off together does not come back together. */
export function waitBefore(attempt: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return full * (0.5 + random / 2);
}

export class Connection {
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private seq: number | null = null;
  private epoch: string | null = null;
  private stopped = false;

  constructor(private readonly options: Options) {}

  start(): void {
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.drop();
  }

  /** Now, not when the countdown ends. */
  retry(): void {
    this.drop();
    this.connect();
  }

  private connect(): void {
    this.options.onLink({ state: "connecting", attempt: this.attempt });
    const socket = (this.options.open ?? ((url) => new WebSocket(url)))(this.address());
    this.socket = socket;
    socket.onmessage = (message) => this.take(JSON.parse(String(message.data)) as Frame);
    socket.onclose = () => this.lost();
    this.listen();
  }

  private address(): string {
    if (this.seq === null || this.epoch === null) return this.options.url;
    const query = new URLSearchParams({ since: String(this.seq), epoch: this.epoch });
    return `${this.options.url}?${query}`;
  }

  private take(frame: Frame): void {
    this.listen();
    if (this.isGap(frame)) return this.startOver();
    if (frame.type === "snapshot") this.epoch = frame.epoch;
    if (frame.type !== "resumed") this.seq = frame.seq;
    this.attempt = 0;
    this.options.onLink({ state: "live" });
    this.options.onFrame(frame);
  }

  private isGap(frame: Frame): boolean {
    if (frame.type === "snapshot" || frame.type === "resumed") return false;
    if (this.seq === null) return true;
    return frame.type === "delta" ? frame.seq !== this.seq + 1 : frame.seq !== this.seq;
  }

  private startOver(): void {
    this.seq = null;
    this.retry();
  }

  private listen(): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), SILENCE_MS);
  }

  private lost(): void {
    this.drop();
    if (this.stopped) return;
    this.attempt += 1;
    const wait = waitBefore(this.attempt, (this.options.random ?? Math.random)());
    this.options.onLink({ state: "waiting", attempt: this.attempt, retryAt: Date.now() + wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
