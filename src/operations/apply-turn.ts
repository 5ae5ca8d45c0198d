// Hands a command to the affiliate's turnstile, three times where it is busy or gone; a refusal is thrown, an answer returned.
import type { Ctx } from "../context.ts";
import { type AffiliateId, mintBody, nthBody } from "../domain/ids.ts";
import type { Result, TurnAnswer, TurnRequest } from "../domain/ledger/book.ts";
import type { Command } from "../domain/ledger/command.ts";
import { Refused } from "../domain/refusals.ts";

export interface TurnInput {
  /** `k:…` from an Idempotency-Key, `s:…` derived; undefined where the command has no name and is new each time. */
  readonly commandId: string | undefined;
  readonly requestSha: string;
}

export type Done<K extends Result["kind"] = Result["kind"]> = Omit<
  Extract<TurnAnswer, { kind: "done" }>,
  "result"
> & {
  readonly result: Extract<Result, { kind: K }>;
};

const TRIES = 3;

/** The object is overloaded or five fences failed; carries what the edge says in Retry-After. */
const busy = (retryAfterS: number): Error =>
  Object.assign(new Error("the affiliate's ledger is busy"), { retryAfterS });

export const newBody = (ctx: Pick<Ctx, "now" | "random">): string => mintBody(ctx.now(), ctx.random(10));

/** The id body of what a request creates outside of turns: with an idempotency key the same again, so that a second run finds the first one's rows. */
export const createdBody = (ctx: Pick<Ctx, "now" | "random" | "keyed">, n = 0): string =>
  ctx.keyed === undefined ? newBody(ctx) : nthBody(ctx.keyed.body, n);

/** When what a request creates outside of turns is created. */
export const createdAt = (ctx: Pick<Ctx, "now" | "keyed">): number => ctx.keyed?.at ?? ctx.now();

/** The bytes of a secret that a request creates; the same again with an idempotency key. */
export const createdSecret = (ctx: Pick<Ctx, "random" | "keyed">): Uint8Array =>
  ctx.keyed?.secret ?? ctx.random(32);

/** Tries again through a new stub: after an exception the old one is dead. The command and its ids stay the same. */
export const askTurn = async (ctx: Ctx, request: TurnRequest): Promise<TurnAnswer> => {
  for (let tried = 1; ; tried++) {
    try {
      const answer = await ctx.ledgerOf(request.programId, request.affiliateId).apply(request);
      if (answer.kind !== "busy" || tried === TRIES) return answer;
    } catch (fault) {
      if (tried === TRIES) throw fault;
    }
    await ctx.sleep(40 * 4 ** (tried - 1));
  }
};

export const applyTurn = async <K extends Result["kind"]>(
  ctx: Ctx,
  affiliateId: AffiliateId,
  command: Command,
  input: TurnInput,
  kind: K,
): Promise<Done<K>> => {
  const mint = newBody(ctx);
  const answer = await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    command,
    commandId: input.commandId ?? `s:${command.kind}:${mint}`,
    requestSha: input.requestSha,
    actor: ctx.actor,
    mint,
  });
  if (answer.kind === "busy") throw busy(answer.retryAfterS);
  if (answer.kind === "refused") throw new Refused(answer.refusal);
  if (answer.result.kind !== kind)
    throw new Error(`a turn answered ${answer.result.kind} where ${kind} was due`);
  return answer as Done<K>;
};
