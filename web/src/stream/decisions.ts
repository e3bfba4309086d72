// A competitor's answer in one round, put together from the parts of it that arrive one by one.
import type { Approved, Check, Missed, Rejected, Signal } from "./protocol";

export type Verdict =
  | { kind: "approved"; checks: Check[] }
  | { kind: "rejected"; code: string; value: string | null; limit: string | null; unit: string; checks: Check[] };

export interface Decision {
  readonly id: string;
  readonly competitor: string;
  readonly round: number;
  readonly at: number;
  readonly parts: readonly Signal[];
  /** By the id of the part it judges. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  readonly missed: { reason: string; detail: string } | null;
  /** No model was asked: a stand-in answered. */
  readonly offline: boolean;
}

type Piece =
  | ({ type: "signal_proposed" } & Signal)
  | ({ type: "decision_missed" } & Missed)
  | ({ type: "order_approved" } & Approved)
  | ({ type: "signal_rejected" } & Rejected);

export const decisionId = (piece: { competitor_id: string; round: number }): string =>
  `${piece.competitor_id}/${piece.round}`;

export function started(piece: Piece): Decision {
  return {
    id: decisionId(piece),
    competitor: piece.competitor_id,
    round: piece.round,
    at: Date.parse(piece.at),
    parts: [],
    verdicts: {},
    missed: null,
    offline: false,
  };
}

export function joined(decision: Decision, piece: Piece): Decision {
  switch (piece.type) {
    case "signal_proposed":
      return { ...decision, parts: withPart(decision.parts, piece), offline: piece.attempt?.offline ?? false };
    case "decision_missed":
      return {
        ...decision,
        missed: { reason: piece.reason, detail: piece.detail },
        offline: piece.attempt?.offline ?? false,
      };
    case "order_approved":
      return judged(decision, piece.signal_id, { kind: "approved", checks: piece.checks ?? [] });
    case "signal_rejected": {
      const { code, value, limit, unit, checks } = piece;
      return judged(decision, piece.signal_id, { kind: "rejected", code, value, limit, unit, checks: checks ?? [] });
    }
  }
}

function withPart(parts: readonly Signal[], part: Signal): Signal[] {
  return [...parts.filter((other) => other.part !== part.part), part].sort((a, b) => a.part - b.part);
}

function judged(decision: Decision, signal: string, verdict: Verdict): Decision {
  return { ...decision, verdicts: { ...decision.verdicts, [signal]: verdict } };
}
