// All operations of a history with their weights.

import type { Operation } from "./commission-operations.ts";
import * as commissions from "./commission-operations.ts";
import * as payouts from "./payout-operations.ts";
import * as programs from "./program-operations.ts";
import * as provider from "./provider-operations.ts";
import * as races from "./race-operations.ts";
import * as time from "./time-operations.ts";

interface Weighted {
  readonly weight: number;
  readonly run: Operation;
}

const op = (weight: number, run: Operation): Weighted => ({ weight, run });

export const OPERATIONS = {
  record: op(12, commissions.record),
  record_again: op(3, commissions.recordAgain),
  record_at_once: op(1, commissions.recordAtOnce),
  approve: op(3, commissions.reviewed("approve")),
  reject: op(2, commissions.reviewed("reject")),
  hold: op(3, commissions.reviewed("hold")),
  release: op(3, commissions.reviewed("release")),
  refund: op(12, commissions.refund),
  credit: op(2, commissions.credit),
  generate: op(10, payouts.generate),
  generate_at_once: op(2, payouts.generateAtOnce),
  create_single: op(3, payouts.createSingle),
  request: op(3, programs.request),
  accept: op(3, payouts.reviewed("accept")),
  deny: op(2, payouts.reviewed("deny")),
  approve_payout: op(4, payouts.reviewed("approve_payout")),
  withdraw: op(1, payouts.reviewed("withdraw")),
  pay: op(8, payouts.pay),
  pay_and_deliver: op(24, payouts.payAndDeliver),
  pay_at_once: op(4, payouts.payAtOnce),
  cancel: op(5, payouts.reviewed("cancel")),
  mark_paid: op(2, payouts.reviewed("mark_paid")),
  mark_failed: op(2, payouts.reviewed("mark_failed")),
  retry: op(8, payouts.claimedAgain("retry")),
  reopen: op(5, payouts.claimedAgain("reopen")),
  return_by_hand: op(2, payouts.reviewed("return")),
  annotate: op(1, payouts.reviewed("annotate")),
  change_policy: op(3, programs.changePolicy),
  change_method: op(3, programs.changeMethod),
  suspend: op(2, programs.suspend),
  rotate_credentials: op(1, programs.rotateCredentials),
  move_money: op(3, programs.moveMoney),
  provider_return: op(4, provider.returnFromProvider),
  provider_trouble: op(1, provider.troubleAtProvider),
  provider_recovers: op(4, async (world) => provider.recoverProvider(world)),
  resolve: op(2, provider.resolve),
  pay_late: op(5, provider.payLate),
  advance: op(10, time.advance),
  jump_clock: op(2, time.jumpClock),
  cron: op(6, time.cron),
  deliver: op(12, time.deliver),
  deliver_twice: op(4, time.deliverTwice),
  deliver_reordered: op(4, time.deliverReordered),
  drop_messages: op(2, time.dropMessages),
  dead_letter: op(1, time.deadLetter),
  race: op(8, races.race),
  burst: op(2, races.burst),
  evict: op(3, races.evict),
  abort: op(1, races.abort),
  abort_in_turn: op(4, races.abortInTurn),
  move_under_turn: op(5, races.moveUnderTurn),
  move_under_run: op(5, races.moveUnderRun),
} as const satisfies Record<string, Weighted>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];
