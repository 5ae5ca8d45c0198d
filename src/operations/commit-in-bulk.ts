// Many commands decided on one reading of their books and committed as one batch; what does not go through this way goes through the objects.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Book, Result } from "../domain/ledger/book.ts";
import type { Command } from "../domain/ledger/command.ts";
import { decide, fold } from "../domain/ledger/decide.ts";
import { commitTurns, type DecidedTurn } from "../store/book.ts";
import { newBody } from "./apply-turn.ts";

export interface BulkCommand {
  readonly affiliateId: AffiliateId;
  readonly command: Command;
  readonly commandId: string;
  readonly requestSha: string;
  /** What the command needs to see beyond the head, read at the same moment. */
  readonly seen: Partial<Book>;
}

export interface BulkResult {
  readonly result: Result;
  /** Epoch milliseconds. */
  readonly at: number;
}

const decideAll = (
  ctx: Ctx,
  books: ReadonlyMap<AffiliateId, Book>,
  commands: readonly (BulkCommand | undefined)[],
): Map<number, DecidedTurn> => {
  const heads = new Map(books);
  const turns = new Map<number, DecidedTurn>();
  for (const [i, item] of commands.entries()) {
    const head = item === undefined ? undefined : heads.get(item.affiliateId);
    if (item === undefined || head === undefined) continue;
    const realNow = ctx.realNow();
    const now = realNow + (head.clockOffset ?? 0);
    const { command, commandId, requestSha, seen, affiliateId } = item;
    const facts = { now, realNow, actor: ctx.actor, mint: newBody(ctx) };
    const verdict = decide({ ...head, ...seen }, command, facts);
    if (verdict.kind !== "change") {
      // From here on the affiliate's own object takes them, in their order.
      heads.delete(affiliateId);
      continue;
    }
    const { change, result } = verdict;
    turns.set(i, { book: head, change, result, commandId, requestSha, actor: ctx.actor, at: now });
    heads.set(affiliateId, fold(head, change));
  }
  return turns;
};

/**
 * By the place of the command: what was decided and committed. Anything that is missing was refused, or not decided, or somebody moved
 * a book meanwhile; the same command under the same id through the object then finds what was committed after all.
 */
export const commitInBulk = async (
  ctx: Ctx,
  books: ReadonlyMap<AffiliateId, Book>,
  commands: readonly (BulkCommand | undefined)[],
): Promise<ReadonlyMap<number, BulkResult>> => {
  const turns = decideAll(ctx, books, commands);
  const outcome = await commitTurns(ctx.db, [...turns.values()], ctx.sleep);
  if (outcome.kind !== "committed") return new Map();
  return new Map([...turns].map(([i, { result, at }]) => [i, { result, at }]));
};
