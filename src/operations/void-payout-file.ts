// Voids a file that the bank never got, or rejected: what of it is unpaid is given back, payment by payment, then the file is closed.
import type { Ctx } from "../context.ts";
import { isOpenAttempt } from "../domain/payout.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { readFileItems, type StoredItem } from "../store/payout-file-items.ts";
import { findPayoutFile, markFileVoided, type PayoutFile } from "../store/payout-files.ts";
import { askTurn, newBody } from "./apply-turn.ts";
import { inLanes } from "./lanes.ts";

export interface VoidedFile {
  readonly file: PayoutFile;
  readonly items: readonly StoredItem[];
}

const LANES = 6;

const waits = ({ state }: StoredItem): boolean => isOpenAttempt(state) && state !== "settled";

/** A refusal of exactly this attempt: one that was paid meanwhile stays paid, one that is over stays over. */
const giveBack = async (ctx: Ctx, file: PayoutFile, item: StoredItem, reason: string): Promise<void> => {
  const { payoutId, attemptId, affiliateId } = item;
  const detail = `Its payout file ${file.id} was voided: ${reason}`;
  const answer = await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    commandId: `s:conclude:${attemptId}:refused:file_voided`,
    requestSha: "",
    actor: ctx.actor,
    mint: newBody(ctx),
    command: {
      kind: "conclude_payment",
      payoutId,
      attemptId,
      outcome: { kind: "refused", code: "file_voided", detail },
    },
  });
  if (answer.kind === "refused") throw new Refused(answer.refusal);
  if (answer.kind === "busy")
    throw Object.assign(new Error("an affiliate's ledger is busy"), { retryAfterS: answer.retryAfterS });
};

const fileOf = async (ctx: Ctx, fileId: string): Promise<PayoutFile> => {
  const file = await findPayoutFile(ctx.db, ctx.program.id, fileId);
  if (file === undefined)
    throw new Refused(refuse("file_not_found", "No such payout file in this program.").refusal);
  return file;
};

/**
 * Whoever voids a file says that none of its payments was or will be carried out: given back, they can be retried into another file.
 * Half done it can be repeated; a voided file answers as it stands.
 */
export const voidPayoutFile = async (ctx: Ctx, fileId: string, reason: string): Promise<VoidedFile> => {
  const file = await fileOf(ctx, fileId);
  const before = await readFileItems(ctx.db, ctx.program.id, file.id);
  if (file.voidedAt !== null) return { file, items: before };
  if (before.every(({ state }) => state === "settled")) {
    throw new Refused(
      refuse("invalid_state", "Every payout of the file is paid: there is nothing to void.").refusal,
    );
  }
  await inLanes(before.filter(waits), LANES, (item) => giveBack(ctx, file, item, reason));
  await markFileVoided(ctx.db, ctx.program.id, file.id, ctx.now(), reason);
  return { file: await fileOf(ctx, fileId), items: await readFileItems(ctx.db, ctx.program.id, file.id) };
};
