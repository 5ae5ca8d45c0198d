// A payout brought by real turns to each stage of its life, where the processing one has three: unsent, with the rail, and in a person's hand.
import type { AttemptId, PayoutId } from "../../src/domain/ids.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { Scene } from "./memory-scene.ts";

export const STAGES = [
  "requested",
  "pending",
  "approved",
  "processing, unsent",
  "processing, with the rail",
  "processing, by hand",
  "paid by the rail",
  "paid by hand",
  "paid in store credit",
  "failed",
  "cancelled",
  "returned",
] as const;
export type Stage = (typeof STAGES)[number];

export const ACTIONS = [
  "accept",
  "deny",
  "approve",
  "withdraw",
  "pay",
  "mark paid",
  "mark failed",
  "cancel",
  "retry",
  "reopen",
  "return",
  "come back by the rail",
  "settle",
  "refuse",
  "send back",
  "resolve",
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Staged {
  readonly scene: Scene;
  readonly payoutId: PayoutId;
  readonly attemptId: AttemptId | undefined;
}

const METHODS: Partial<Record<Stage, "manual" | "store_credit">> = {
  "processing, by hand": "manual",
  "paid by hand": "manual",
  "paid in store credit": "store_credit",
};

export const stage = (at: Stage): Staged => {
  const scene = new Scene({ method: METHODS[at] ?? "stripe" });
  scene.record(1000);
  const payoutId = scene.claim(at === "requested" ? "request" : "generate");
  return { scene, payoutId, attemptId: advance(scene, payoutId, at) };
};

const advance = (scene: Scene, payoutId: PayoutId, at: Stage): AttemptId | undefined => {
  switch (at) {
    case "requested":
    case "pending":
      return undefined;
    case "approved":
      scene.apply({ kind: "approve_payout", payoutId });
      return undefined;
    case "processing, unsent":
      scene.apply({ kind: "pay", payoutId });
      return undefined;
    case "processing, with the rail":
      return scene.send(payoutId);
    case "processing, by hand": {
      const attemptId = scene.send(payoutId);
      scene.conclude(attemptId, { kind: "needs_hand", instructions: "pay it" });
      return attemptId;
    }
    case "paid by the rail":
    case "returned": {
      const attemptId = scene.send(payoutId);
      scene.conclude(attemptId, { kind: "settled", ref: "tr_1" });
      if (at === "returned") scene.providerReturn(payoutId, 1000);
      return attemptId;
    }
    case "paid by hand":
      scene.apply(scene.markingPaid(payoutId));
      return undefined;
    case "paid in store credit":
      return scene.send(payoutId);
    case "failed":
      return scene.fail(payoutId);
    case "cancelled":
      scene.apply({ kind: "cancel", payoutId, reason: "no" });
      return undefined;
  }
};

/** The command of an action, or undefined where there is no attempt that a rail could speak of. */
export const commandOf = (action: Action, { scene, payoutId, attemptId }: Staged): Command | undefined => {
  const reason = "a reason";
  switch (action) {
    case "accept":
    case "withdraw":
    case "pay":
    case "retry":
    case "reopen":
      return { kind: action, payoutId };
    case "approve":
      return { kind: "approve_payout", payoutId };
    case "deny":
    case "cancel":
    case "return":
      return { kind: action, payoutId, reason };
    case "mark failed":
      return { kind: "mark_failed", payoutId, reason };
    case "mark paid":
      return scene.markingPaid(payoutId, { externalRef: "bank-2" });
    case "come back by the rail":
      return { kind: "provider_return", payoutId, total: 1000, reason };
    case "send back":
      return {
        kind: "send_back",
        payoutId,
        steps: scene.payout(payoutId).history.length,
        code: "destination_changed",
        detail: reason,
      };
    case "resolve":
      return { kind: "resolve", payoutId, outcome: "refused", externalRef: null, evidence: reason };
    case "settle":
      return attemptId === undefined
        ? undefined
        : scene.concluding(attemptId, { kind: "settled", ref: "tr_2" });
    case "refuse":
      return attemptId === undefined
        ? undefined
        : scene.concluding(attemptId, { kind: "refused", code: "declined", detail: reason });
  }
};
