import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type Link, waitBefore } from "../src/stream/connection";
import type { Frame } from "../src/stream/protocol";
import { AT, delta, snapshot } from "./events";

class FakeSocket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {}
  close() {
    this.closed = true;
  }
  say(frame: Frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

let sockets: FakeSocket[];
let links: Link[];
let frames: Frame[];
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, links, frames] = [[], [], []];
  connection = new Connection({
    url: "ws://arena/ws",
    onFrame: (frame) => frames.push(frame),
    onLink: (link) => links.push(link),
    random: () => 1,
    open: (url) => {
      sockets.push(new FakeSocket(url));
      return sockets.at(-1) as unknown as WebSocket;
    },
  });
  connection.start();
});
afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

const last = () => sockets.at(-1)!;

describe("the connection", () => {
  it("asks for a snapshot first and for what it missed afterwards", () => {
    expect(last().url).toBe("ws://arena/ws");
    last().say(snapshot(40));
    last().say(delta(41));
    last().onclose?.();
    vi.advanceTimersByTime(500);
    expect(last().url).toBe("ws://arena/ws?since=41&epoch=e1");
  });

  it("goes on where it resumed", () => {
    last().say(snapshot(40));
    last().onclose?.();
    vi.advanceTimersByTime(500);
    last().say({ type: "resumed", seq: 40 });
    last().say(delta(41));
    expect(frames.map((frame) => frame.seq)).toEqual([40, 40, 41]);
    expect(links.at(-1)).toEqual({ state: "live" });
  });

  it("takes a snapshot where the server has forgotten", () => {
    last().say(snapshot(40));
    last().onclose?.();
    vi.advanceTimersByTime(500);
    last().say({ ...snapshot(3), epoch: "e2" } as Frame);
    last().onclose?.();
    vi.advanceTimersByTime(500);
    expect(last().url).toBe("ws://arena/ws?since=3&epoch=e2");
  });

  it("waits twice as long each time, up to a limit, and says until when", () => {
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      last().onclose?.();
      const link = links.at(-1)!;
      if (link.state !== "waiting") throw new Error(link.state);
      waits.push(link.retryAt - Date.now());
      vi.advanceTimersByTime(link.retryAt - Date.now());
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  it("does not come back with everybody else", () => {
    expect([waitBefore(3, 0), waitBefore(3, 0.5), waitBefore(3, 1)]).toEqual([1000, 1500, 2000]);
  });

  it("begins the waits anew after a frame", () => {
    last().onclose?.();
    vi.advanceTimersByTime(500);
    last().say(snapshot(1));
    last().onclose?.();
    expect(links.at(-1)).toMatchObject({ state: "waiting", attempt: 1 });
  });

  it("starts over with a snapshot when a delta is missing", () => {
    last().say(snapshot(40));
    last().say(delta(42));
    expect(frames).toHaveLength(1);
    expect(sockets[0]?.closed).toBe(true);
    expect(last().url).toBe("ws://arena/ws");
  });

  it("starts over when a heartbeat tells of a delta that never came", () => {
    last().say(snapshot(40));
    last().say({ type: "heartbeat", seq: 41, sent_at: AT });
    expect(last().url).toBe("ws://arena/ws");
  });

  it("gives up on a silent server", () => {
    last().say(snapshot(40));
    vi.advanceTimersByTime(11_999);
    expect(links.at(-1)).toEqual({ state: "live" });
    vi.advanceTimersByTime(1);
    expect(links.at(-1)).toMatchObject({ state: "waiting" });
  });

  it("does not come back after it was stopped", () => {
    last().say(snapshot(1));
    connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });
});
