// Everything the page knows, outside React: frames are folded in as they come, the page is told at most five times a second.
import { decimal, approximate } from "../decimal";
import type { Link } from "./connection";
import { type Decision, decisionId, joined, started } from "./decisions";
import type { ArenaEvent, ClosedTrade, Competitor, Frame, Health, LeaderboardRow, Mark, Portfolio, Season, Snapshot } from "./protocol";
import { append, emptySeries, type Series } from "./series";
import { closing, told, type Trade } from "./trades";

export const TRADES_MAX = 200;
export const DECISIONS_MAX = 100;
const PUBLISH_EVERY_MS = 200;

export interface Mood {
  readonly link: Link;
  readonly paused: boolean;
  /** Changes that came while paused. */
  readonly waiting: number;
}

/** One consistent picture; a new object whenever anything in it changed. */
export interface Picture {
  readonly ready: boolean;
  readonly season: Season | null;
  readonly phase: string;
  readonly round: { opened: number; closed: number; missed: number };
  readonly competitors: Readonly<Record<string, Competitor>>;
  readonly portfolios: Readonly<Record<string, Portfolio>>;
  readonly leaderboard: readonly LeaderboardRow[];
  readonly marks: Readonly<Record<string, Mark>>;
  /** The first mark of each instrument that this page saw. */
  readonly firstMarks: Readonly<Record<string, Mark>>;
  readonly series: ReadonlyMap<string, Series>;
  readonly trades: readonly Trade[];
  /** By what a closing order and its closed trade have in common. */
  readonly closed: ReadonlyMap<string, ClosedTrade>;
  readonly decisions: readonly Decision[];
  /** Whether a competitor's latest answer came from a stand-in. */
  readonly offline: Readonly<Record<string, boolean>>;
  readonly ticks: Readonly<Record<string, string>>;
  readonly halted: Readonly<Record<string, string>>;
  readonly lastMissed: Readonly<Record<string, number>>;
  readonly health: Health;
  /** Arena time of the newest data, and the wall time at which it came. */
  readonly at: number;
  readonly receivedAt: number;
}

const blank = (): Picture => ({
  ready: false,
  season: null,
  phase: "",
  round: { opened: 0, closed: 0, missed: 0 },
  competitors: {},
  portfolios: {},
  leaderboard: [],
  marks: {},
  firstMarks: {},
  series: new Map(),
  trades: [],
  closed: new Map(),
  decisions: [],
  offline: {},
  ticks: {},
  halted: {},
  lastMissed: {},
  health: {},
  at: 0,
  receivedAt: 0,
});

type Draft = { -readonly [K in keyof Picture]: Picture[K] };

export class ArenaStore {
  private draft: Draft = blank();
  private shown: Picture = this.draft;
  private mood: Mood = { link: { state: "connecting", attempt: 0 }, paused: false, waiting: 0 };
  private readonly pictureListeners = new Set<() => void>();
  private readonly moodListeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private publishedAt = -Infinity;

  readonly picture = (): Picture => this.shown;
  readonly currentMood = (): Mood => this.mood;
  readonly onPicture = (listener: () => void): (() => void) => subscribed(this.pictureListeners, listener);
  readonly onMood = (listener: () => void): (() => void) => subscribed(this.moodListeners, listener);

  setLink(link: Link): void {
    if (link.state === "live" && this.mood.link.state === "live") return;
    this.setMood({ link });
  }

  setPaused(paused: boolean): void {
    this.setMood({ paused, waiting: 0 });
    if (!paused) this.publish();
  }

  take(frame: Frame): void {
    if (frame.type === "snapshot") this.replace(frame.data);
    else if (frame.type === "delta") frame.changes.forEach((change) => this.fold(change.data));
    if ("health" in frame && frame.health) this.draft.health = { ...this.draft.health, ...frame.health };
    if (frame.type === "snapshot" || frame.type === "delta") this.stamp(frame);
    this.changed(frame.type === "delta" ? frame.changes.length : 0);
  }

  private stamp(frame: Frame & { type: "snapshot" | "delta" }): void {
    this.draft.receivedAt = Date.now();
    if (frame.at) this.draft.at = Math.max(this.draft.at, Date.parse(frame.at));
  }

  private replace(data: Snapshot): void {
    const firstMarks = this.draft.firstMarks;
    this.draft = { ...blank(), ready: true, season: data.season, health: data.health ?? {}, firstMarks };
    this.draft.phase = typeof data.phase === "object" ? (data.phase?.phase ?? "") : (data.phase ?? "");
    this.draft.competitors = Object.fromEntries(data.competitors.map((c) => [c.competitor_id, c]));
    this.draft.leaderboard = data.leaderboard;
    this.draft.series = new Map(Object.entries(data.equity).map(([id, points]) => [id, seriesOf(points)]));
    const past = [...(data.closed_trades ?? []), ...Object.values(data.instruments ?? {}), ...Object.values(data.halted ?? {})];
    past.forEach((event) => this.fold(event));
    [...data.trades].sort(byTime).forEach((event) => this.fold(event));
    [...data.decisions].sort(byTime).forEach((event) => this.fold(event));
    Object.values(data.portfolios).forEach((portfolio) => this.portfolio(portfolio));
    Object.values(data.marks).forEach((mark) => this.mark(mark));
    if (isEvent(data.round)) this.fold(data.round);
  }

  private fold(event: ArenaEvent): void {
    const draft = this.draft;
    if ("at" in event && event.at) draft.at = Math.max(draft.at, Date.parse(event.at));
    switch (event.type) {
      case "season_changed":
        draft.season = event;
        break;
      case "phase_changed":
        draft.phase = event.phase;
        break;
      case "competitor_registered":
        draft.competitors = { ...draft.competitors, [event.competitor_id]: event };
        break;
      case "portfolio_updated":
        this.portfolio(event);
        break;
      case "leaderboard_updated":
        draft.leaderboard = event.rows;
        draft.health = { ...draft.health, books_balanced: event.books_balanced };
        break;
      case "mark_updated":
        this.mark(event);
        break;
      case "order_filled":
        this.trade(event);
        break;
      case "trade_closed":
        this.close(event);
        break;
      case "instrument_listed":
        draft.ticks = { ...draft.ticks, [event.instrument]: event.tick_size };
        break;
      case "round_opened":
        draft.round = { ...draft.round, opened: Math.max(draft.round.opened, event.round) };
        break;
      case "round_closed":
        draft.round = { ...draft.round, closed: event.round, missed: event.missed };
        break;
      case "trading_halted":
        draft.halted = { ...draft.halted, [event.competitor_id]: event.reason };
        break;
      case "trading_resumed":
        draft.halted = without(draft.halted, event.competitor_id);
        break;
      case "signal_proposed":
      case "decision_missed":
      case "order_approved":
      case "signal_rejected":
        this.decision(event);
        break;
      case "decision_judged":
        break;
    }
  }

  private portfolio(portfolio: Portfolio): void {
    const id = portfolio.competitor_id;
    const known = this.draft.portfolios[id];
    if (known && known.seq > portfolio.seq) return;
    this.draft.portfolios = { ...this.draft.portfolios, [id]: portfolio };
    const series = this.draft.series.get(id) ?? emptySeries();
    append(series, Date.parse(portfolio.at), approximate(decimal(portfolio.equity)));
    if (!this.draft.series.has(id)) this.draft.series = new Map(this.draft.series).set(id, series);
  }

  private mark(mark: Mark): void {
    this.draft.marks = { ...this.draft.marks, [mark.instrument]: mark };
    if (!this.draft.firstMarks[mark.instrument])
      this.draft.firstMarks = { ...this.draft.firstMarks, [mark.instrument]: mark };
  }

  private trade(fill: ArenaEvent & { type: "order_filled" }): void {
    const previous = this.draft.trades.find((trade) => trade.id === fill.order_id);
    const trade = told(fill, previous);
    const others = previous ? this.draft.trades.filter((other) => other !== previous) : this.draft.trades;
    this.draft.trades = [trade, ...others].slice(0, TRADES_MAX);
  }

  private close(trade: ClosedTrade): void {
    const key = closing(trade.competitor_id, trade.instrument, Date.parse(trade.closed_at));
    this.draft.closed = new Map([...this.draft.closed, [key, trade] as const].slice(-TRADES_MAX));
  }

  private decision(piece: Parameters<typeof joined>[1]): void {
    const id = decisionId(piece);
    const known = this.draft.decisions.find((decision) => decision.id === id);
    const decision = joined(known ?? started(piece), piece);
    if (piece.type === "decision_missed")
      this.draft.lastMissed = { ...this.draft.lastMissed, [piece.competitor_id]: piece.round };
    if (this.draft.offline[decision.competitor] !== decision.offline)
      this.draft.offline = { ...this.draft.offline, [decision.competitor]: decision.offline };
    this.draft.decisions = known
      ? this.draft.decisions.map((other) => (other === known ? decision : other))
      : [decision, ...this.draft.decisions].slice(0, DECISIONS_MAX);
  }

  private changed(changes: number): void {
    if (this.mood.paused) {
      if (changes) this.setMood({ waiting: this.mood.waiting + changes });
      return;
    }
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.publishedAt + PUBLISH_EVERY_MS - performance.now());
    this.timer = setTimeout(() => this.publish(), wait);
  }

  private publish(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.mood.paused) return;
    this.publishedAt = performance.now();
    this.shown = { ...this.draft };
    this.pictureListeners.forEach((listener) => listener());
  }

  private setMood(change: Partial<Mood>): void {
    this.mood = { ...this.mood, ...change };
    this.moodListeners.forEach((listener) => listener());
  }
}

function subscribed(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function seriesOf(points: readonly [number, string | number][]): Series {
  const series = emptySeries();
  for (const [at, value] of points) append(series, at, Number(value));
  return series;
}

const isEvent = (value: unknown): value is ArenaEvent => typeof value === "object" && value !== null && "type" in value;

function without(record: Readonly<Record<string, string>>, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}

const byTime = (a: ArenaEvent, b: ArenaEvent): number => ("at" in a && "at" in b ? Date.parse(a.at) - Date.parse(b.at) : 0);
