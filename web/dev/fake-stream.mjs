// A stand-in for dashboard-api: serves dist/ and `/ws` with plausible data from a seed, and misbehaves on request.
//   node dev/fake-stream.mjs --port 8090 --competitors 8 --rate 20 [--empty] [--wait-ms 0] [--history-h 72]
//   GET /control/{drop,refuse?ms=N,welcome,forget,silence?ms=N,speak,finish,look}
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8090" },
    competitors: { type: "string", default: "8" },
    rate: { type: "string", default: "20" },
    seed: { type: "string", default: "7" },
    "wait-ms": { type: "string", default: "0" },
    "history-h": { type: "string", default: "60" },
    empty: { type: "boolean", default: false },
  },
});

// ---- a seeded world

function mulberry(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = mulberry(Number(options.seed));
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pick = (list) => list[Math.floor(random() * list.length)];
let ids = 0;
const uuid = () => `00000000-0000-5000-8000-${(ids += 1).toString(16).padStart(12, "0")}`;
const hash = (n) => mulberry(n)().toString(16).slice(2).padEnd(12, "a").repeat(6).slice(0, 64).replace(/[^0-9a-f]/g, "0");
const iso = (ms) => new Date(ms).toISOString();
const text = (n, places) => n.toFixed(places);

const MARKETS = {
  BTC: [108622.5, "0.1", 3], ETH: [3912.6, "0.01", 2], SOL: [187.42, "0.01", 1],
  BNB: [1124.3, "0.1", 2], XRP: [2.4371, "0.0001", 0], DOGE: [0.19544, "0.00001", 0],
};
const instruments = Object.keys(MARKETS).map((base) => `${base}-USDT-PERP`);
const base = (instrument) => instrument.split("-")[0];
const tick = (instrument) => MARKETS[base(instrument)][1];
const places = (instrument) => tick(instrument).split(".")[1].length;
const lots = (instrument) => MARKETS[base(instrument)][2];
const prices = Object.fromEntries(instruments.map((instrument) => [instrument, MARKETS[base(instrument)][0]]));

const CAST = [
  ["Momentum Fast", "MF", "quant"], ["Mean Reversion", "MR", "quant"], ["Trend Follower", "TF", "quant"],
  ["Qwen Offline", "QW", "llm"], ["Gentle Parrot", "GP", "llm"], ["Deep Current", "DC", "llm"],
  ["Buy and Hold", "BH", "baseline"], ["Random Trader", "RT", "baseline"], ["Breakout 4h", "BO", "quant"],
  ["Carry", "CY", "quant"], ["Claret Owl", "CO", "llm"], ["Outside Desk", "OD", "external"],
];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const count = Number(options.competitors);
const season_id = "season-1";
const competitors = Array.from({ length: count }, (_, n) => {
  const [name, mark, kind] = CAST[n] ?? [`Competitor ${n + 1}`, LETTERS[Math.floor(n / 26)] + LETTERS[n % 26], "quant"];
  const competitor_id = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return {
    type: "competitor_registered", event_id: uuid(), at: iso(0), season_id, competitor_id, name, mark, hue: n % 12, kind,
    model: kind === "llm" ? "offline-llm" : competitor_id, parameters: {}, owner: "arena", version: "1",
    config_sha256: hash(n + 1), active: true,
  };
});

const CADENCE_S = 180;
const HISTORY_MS = Number(options["history-h"]) * 3_600_000;
const startedAt = Math.floor(Date.now() / 180_000) * 180_000 - HISTORY_MS;
const season = {
  type: "season_changed", event_id: uuid(), at: iso(startedAt), season_id, name: "Season 1", venue: "synthetic",
  clock: "lockstep", starts_at: iso(startedAt), ends_at: iso(startedAt + 17 * 86_400_000), rules_sha256: hash(99),
  rules: {
    instruments, capital: "10000", cadence_s: CADENCE_S, deadline_s: 60, execution: "deadline", latency_ms: 0,
    leverage_max: "10", order_notional_max: "20000", position_notional_max: "40000", positions_max: 6,
    price_band: "0.02", price_stale_s: 10, maker_fee_rate: "0.0002", taker_fee_rate: "0.0005",
  },
};

const accounts = new Map(competitors.map(({ competitor_id }) => [competitor_id, {
  seq: 0, realised: 0, fees: 0, funding: 0, trades: 0, wins: 0, fills: 0, peak: 10_000, drawdown: 0, positions: new Map(),
}]));
// what the market alone would not give them, so that the lines part
const luck = new Map(competitors.map(({ competitor_id }) => [competitor_id, 1.6 * normal()]));
const unrealisedOf = (a) => [...a.positions].reduce((sum, [i, p]) => sum + p.quantity * (prices[i] - p.entry), 0);
const equityOf = (a) => 10_000 + a.realised + unrealisedOf(a) - a.fees - a.funding;

function plan(instrument, side, at) {
  const p = places(instrument);
  const up = side > 0 ? 1.03 : 0.97;
  const down = side > 0 ? 0.98 : 1.02;
  return {
    take_profit: text(at * up, p), stop_loss: text(at * down, p), trigger: "mark",
    invalidation: `A 4h bar closes ${side > 0 ? "below" : "above"} ${text(at * (side > 0 ? 0.985 : 1.015), p)}`,
    invalidation_condition: null,
  };
}

function portfolio(competitor_id, at, cause, round = null) {
  const a = accounts.get(competitor_id);
  const equity = equityOf(a);
  a.peak = Math.max(a.peak, equity);
  a.drawdown = Math.max(a.drawdown, (a.peak - equity) / a.peak);
  const open = [...a.positions].map(([instrument, p]) => ({
    instrument, quantity: text(p.quantity, lots(instrument)), entry_price: text(p.entry, places(instrument) + 4),
    mark_price: text(prices[instrument], places(instrument)), notional: text(Math.abs(p.quantity) * prices[instrument], 6),
    unrealised_pnl: text(p.quantity * (prices[instrument] - p.entry), 8), leverage: String(p.leverage),
    margin: text((Math.abs(p.quantity) * prices[instrument]) / p.leverage, 6),
    liquidation_price: text(prices[instrument] * (p.quantity > 0 ? 0.82 : 1.18), places(instrument)),
    opened_at: iso(p.at), exit_plan: p.plan,
  }));
  const gross = open.reduce((sum, p) => sum + Number(p.notional), 0);
  const net = open.reduce((sum, p) => sum + Math.sign(Number(p.quantity)) * Number(p.notional), 0);
  const used = open.reduce((sum, p) => sum + Number(p.margin), 0);
  a.seq += 1;
  return {
    type: "portfolio_updated", event_id: uuid(), at: iso(at), season_id, competitor_id, seq: a.seq, round, cause,
    capital: "10000", equity: text(equity, 8), cash: text(equity - unrealisedOf(a), 8), realised_pnl: text(a.realised, 8),
    unrealised_pnl: text(unrealisedOf(a), 8), fees: text(a.fees, 8), funding: text(a.funding, 8),
    margin_used: text(used, 6), margin_available: text(equity - used, 6), exposure_gross: text(gross, 6),
    exposure_net: text(net, 6), positions: open, trades: a.trades, wins: a.wins, fills: a.fills,
    peak_equity: text(a.peak, 8), max_drawdown: text(a.drawdown, 8), turnover: "0", books_balanced: true,
  };
}

function fill(competitor_id, at, round, instrument, change, { order = uuid(), purpose = "decision" } = {}) {
  const a = accounts.get(competitor_id);
  const price = prices[instrument] * (1 + Math.sign(change) * 0.0001);
  const held = a.positions.get(instrument);
  const before = held?.quantity ?? 0;
  const after = Number((before + change).toFixed(6));
  const fee = Math.abs(change) * price * 0.0005;
  const events = [];
  a.fees += fee;
  a.fills += 1;
  if (held && Math.sign(change) !== Math.sign(before)) a.realised += -change * (price - held.entry);
  if (after === 0) {
    const gross = before * (price - held.entry);
    a.trades += 1;
    a.wins += gross > 0 ? 1 : 0;
    a.positions.delete(instrument);
    events.push({
      type: "trade_closed", trade_id: uuid(), season_id, competitor_id, instrument, direction: before > 0 ? "long" : "short",
      quantity: text(Math.abs(before), lots(instrument)), entry_price: text(held.entry, places(instrument)),
      exit_price: text(price, places(instrument)), opened_at: iso(held.at), closed_at: iso(at),
      held_s: Math.round((at - held.at) / 1000), leverage: String(held.leverage), gross: text(gross, 8),
      fees: text(fee * 2, 8), funding: text(-gross * 0.002, 8), net: text(gross - fee * 2 + gross * 0.002, 8), fills: 2,
      opened_round: round, closed_round: round, closed_by: purpose,
    });
  } else {
    const adds = Math.sign(change) === Math.sign(before) || before === 0;
    const entry = adds ? ((held?.entry ?? price) * Math.abs(before) + price * Math.abs(change)) / Math.abs(after) : held.entry;
    const leverage = held?.leverage ?? 2 + Math.floor(random() * 8);
    a.positions.set(instrument, { quantity: after, entry, leverage, at: held?.at ?? at, plan: plan(instrument, after, price) });
  }
  events.unshift({
    type: "order_filled", event_id: uuid(), at: iso(at), season_id, competitor_id, order_id: order, trade_id: uuid(),
    instrument, round, side: change > 0 ? "buy" : "sell", price: text(price, places(instrument)),
    quantity: text(Math.abs(change), lots(instrument)), fee: text(fee, 8), liquidity: "taker", remaining: "0", leverage: "5",
    purpose, book_sequence: ids, position_after: text(after, lots(instrument)), exit_plan: null,
  });
  return events;
}

const WHY = [
  "Price holds above EMA20 on 3m and 4h, MACD turned up, RSI7 at 58 leaves room. Risking 1% to the stop.",
  "Funding is negative while open interest rises: shorts pay. Entering long with the stop below the last swing.",
  "RSI14 on 4h is above 70 and momentum fades; expecting a return to the mean, small size.",
  "No edge: range is narrow, ATR3 below ATR14. Keeping the position, invalidation untouched.",
  "4h trend is down, EMA20 below EMA50; selling the bounce into resistance.",
];
const CHECKS = (passed) => [
  { rule: "price_age", passed: true, value: "0.4", limit: "10", unit: "s" },
  { rule: "leverage", passed, value: passed ? "5" : "12", limit: "10", unit: "x" },
  { rule: "order_notional", passed: true, value: "5210.44", limit: "20000", unit: "USD" },
];
const REFUSALS = [
  ["LEVERAGE_ABOVE_MAX", "12", "10", "x"], ["NOTIONAL_ABOVE_MAX", "24310.55", "20000", "USD"],
  ["PRICE_OUT_OF_BAND", "0.0312", "0.02", ""], ["MARGIN_INSUFFICIENT", "6120.4", "4870.12", "USD"],
];

/** One competitor's answer in one round, with its verdicts and what came of it. */
function decide(competitor_id, at, round) {
  const common = { season_id, competitor_id, round };
  if (random() < 0.03)
    return [{ type: "decision_missed", event_id: uuid(), at: iso(at), ...common, reason: pick(["late", "timeout", "malformed"]), detail: "" }];
  const a = accounts.get(competitor_id);
  const instrument = pick(instruments);
  const held = a.positions.get(instrument);
  const idle = random() < 0.45;
  const action = idle ? "hold" : held ? "close_position" : random() < 0.6 ? "buy_to_enter" : "sell_to_enter";
  const side = action === "sell_to_enter" ? -1 : 1;
  const room = 10_000 * (0.25 + random() * 0.5);
  const quantity = Number(Math.max(10 ** -lots(instrument), room / prices[instrument]).toFixed(lots(instrument)));
  const signal = {
    type: "signal_proposed", event_id: uuid(), at: iso(at), ...common, decision_id: uuid(), part: 1, parts: 2, action, instrument,
    quantity: action === "hold" || action === "close_position" ? null : text(quantity, lots(instrument)),
    order_type: "market", limit_price: null, time_in_force: "IOC", leverage: action.includes("enter") ? "5" : null,
    exit_plan: action.includes("enter") ? plan(instrument, side, prices[instrument]) : null,
    confidence: text(0.45 + random() * 0.4, 2), risk_usd: null, justification: pick(WHY), client_order_id: "",
    attempt: { model: "offline-llm", offline: true, latency_ms: Math.floor(random() * 900) },
  };
  const other = { ...signal, event_id: uuid(), part: 2, action: "hold", instrument: pick(instruments), quantity: null, leverage: null, exit_plan: null, justification: "" };
  const events = [signal, other];
  if (action === "hold") return events;
  if (random() < 0.14) {
    const [code, value, limit, unit] = pick(REFUSALS);
    events.push({ type: "signal_rejected", event_id: uuid(), at: iso(at + 200), ...common, signal_id: signal.event_id, instrument, code, value, limit, unit, detail: "", checks: CHECKS(false) });
    return events;
  }
  const order = uuid();
  events.push({ type: "order_approved", event_id: order, at: iso(at + 200), ...common, signal_id: signal.event_id, part: 1, instrument, side: side > 0 ? "buy" : "sell", quantity: text(quantity, lots(instrument)), checks: CHECKS(true) });
  const change = action === "close_position" ? -held.quantity : side * quantity;
  events.push(...fill(competitor_id, at + 300, round, instrument, change, { order, purpose: action === "close_position" && random() < 0.3 ? "take_profit" : "decision" }));
  events.push(portfolio(competitor_id, at + 300, "fill"));
  return events;
}

function moveMarkets(seconds) {
  const common = normal();
  for (const instrument of instruments) {
    const volatility = 0.00009 * Math.sqrt(seconds);
    prices[instrument] *= Math.exp(volatility * (0.7 * common + 0.7 * normal()) + 0.00000002 * seconds);
  }
}
const mark = (instrument, at) => ({
  type: "mark_updated", event_id: uuid(), at: iso(at), instrument, venue: "synthetic",
  mark_price: text(prices[instrument], places(instrument)), index_price: null, last_price: text(prices[instrument], places(instrument)),
  funding_rate: "0.0001", next_funding_at: null, open_interest: null,
});

// ---- what a page is given

const board = { fills: [], closed: [], decisions: [], portfolios: {}, marks: {}, equity: {}, round: null, phase: "official" };
function put(event) {
  if (event.type === "order_filled") board.fills = [...board.fills, event].slice(-200);
  if (event.type === "trade_closed") board.closed = [...board.closed, event].slice(-200);
  if (["signal_proposed", "decision_missed", "order_approved", "signal_rejected"].includes(event.type))
    board.decisions = [...board.decisions, event].slice(-300);
  if (event.type === "portfolio_updated") {
    board.portfolios[event.competitor_id] = event;
    (board.equity[event.competitor_id] ??= []).push([Date.parse(event.at), event.equity]);
  }
  if (event.type === "mark_updated") board.marks[event.instrument] = event;
  if (event.type.startsWith("round_")) board.round = event;
  if (event.type === "phase_changed") board.phase = event.phase;
}

let round = 0;
const opened = (at) => ({ type: "round_opened", event_id: uuid(), at: iso(at), season_id, round: (round += 1), deadline: iso(at + 60_000), snapshot_sha256: hash(round), competitors: [] });
const closed = (at) => ({ type: "round_closed", event_id: uuid(), at: iso(at), season_id, round, answered: count, missed: 0, judged: count });

function history() {
  for (let at = startedAt; at < Date.now() - 5_000; at += CADENCE_S * 1000) {
    put(opened(at));
    moveMarkets(CADENCE_S);
    instruments.forEach((instrument) => put(mark(instrument, at)));
    for (const { competitor_id } of competitors) {
      if (random() < 0.2) decide(competitor_id, at, round).forEach(put);
      accounts.get(competitor_id).realised += luck.get(competitor_id) + 9 * normal();
      put(portfolio(competitor_id, at + 1000, "round", round));
    }
    put(closed(at + 60_000));
  }
}
if (!options.empty) history();
else competitors.length = 0;

let epoch = uuid();
let seq = 0;
let now = Date.now();
let ring = [];
const health = () => ({ fill_to_frame_ms: 31.2, fill_to_frame_ms_p99: 84.7 });
const snapshot = () => JSON.stringify({
  type: "snapshot", seq, epoch, sent_at: iso(Date.now()), at: options.empty ? null : iso(now),
  data: {
    season: options.empty ? null : season, rules: options.empty ? null : season.rules,
    phase: options.empty ? null : { type: "phase_changed", phase: board.phase }, round: board.round,
    competitors, leaderboard: [], portfolios: board.portfolios, equity: board.equity, trades: board.fills, closed_trades: board.closed,
    marks: board.marks, decisions: board.decisions, halted: {}, health: health(),
    instruments: Object.fromEntries(instruments.map((i) => [i, { type: "instrument_listed", instrument: i, tick_size: tick(i), at: iso(startedAt) }])),
  },
});

// ---- the stream

const sockets = new Set();
let refuseUntil = 0;
let silentUntil = 0;
const send = (frame) => sockets.forEach((socket) => socket.send(frame));

function delta(events) {
  events.forEach(put);
  const changes = events.map((data) => ({ kind: data.type, data }));
  const frame = JSON.stringify({ type: "delta", seq: (seq += 1), sent_at: iso(Date.now()), at: iso(now), changes });
  ring = [...ring, { seq, frame }].slice(-2_000);
  send(frame);
}

let decided = 0;
function step() {
  if (Date.now() < silentUntil || options.empty || board.phase === "finished") return;
  now = Math.max(now, Date.now());
  moveMarkets(4);
  const wanted = Number(options.rate) / 5;
  const events = instruments.map((instrument) => mark(instrument, now)).slice(0, Math.max(2, Math.floor(wanted / 2)));
  for (let n = events.length; n < wanted; n += 1) events.push(portfolio(pick(competitors).competitor_id, now, "mark"));
  if ((decided += 1) % 12 === 0) events.push(...decide(pick(competitors).competitor_id, now, round));
  if (decided % 60 === 0) events.push(closed(now), opened(now + 1));
  delta(events);
}
setInterval(step, 200);
setInterval(() => {
  if (Date.now() >= silentUntil) send(JSON.stringify({ type: "heartbeat", seq, sent_at: iso(Date.now()), health: health() }));
}, 5_000);

// ---- HTTP

const dist = join(fileURLToPath(new URL(".", import.meta.url)), "..", "dist");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

function control(url) {
  const ms = Number(url.searchParams.get("ms") ?? 5_000);
  const name = url.pathname.split("/").at(-1);
  if (name === "drop" || name === "refuse") sockets.forEach((socket) => socket.terminate());
  if (name === "refuse") refuseUntil = Date.now() + ms;
  if (name === "welcome") refuseUntil = 0;
  if (name === "silence") silentUntil = Date.now() + ms;
  if (name === "speak") silentUntil = 0;
  if (name === "forget") [ring, epoch] = [[], uuid()];
  if (name === "finish") delta([{ type: "phase_changed", season_id, phase: "finished", event_id: uuid(), at: iso(now) }]);
  return { seq, epoch, clients: sockets.size, resumed };
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/control/")) return response.end(JSON.stringify(control(url)));
  const path = normalize(url.pathname === "/" ? "/index.html" : url.pathname);
  try {
    const body = await readFile(join(dist, path));
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    response.end(body);
  } catch {
    response.writeHead(404).end("not found");
  }
});

let resumed = 0;
function greeting(url) {
  const since = Number(url.searchParams.get("since") ?? -1);
  const known = url.searchParams.get("epoch") === epoch && since >= (ring[0]?.seq ?? seq + 1) - 1;
  if (!known) return [snapshot()];
  resumed += 1;
  const frames = ring.filter((entry) => entry.seq > since).map((entry) => entry.frame);
  return [JSON.stringify({ type: "resumed", seq: since, epoch, resumed: true }), ...frames];
}

const wss = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname !== "/ws" || Date.now() < refuseUntil) return socket.destroy();
  wss.handleUpgrade(request, socket, head, (client) => {
    setTimeout(() => {
      greeting(url).forEach((frame) => client.send(frame));
      sockets.add(client);
    }, Number(options["wait-ms"]));
    client.on("close", () => sockets.delete(client));
  });
});
server.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
