// After a restore of the book: a person has compared it with the providers, and the affiliate may be paid again.
import type { Ctx } from "../context.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { applyTurn, type Done, type TurnInput } from "./apply-turn.ts";

export const confirmBook = (
  ctx: Ctx,
  affiliateId: AffiliateId,
  evidence: string,
  input: TurnInput,
): Promise<Done<"affiliate">> =>
  applyTurn(ctx, affiliateId, { kind: "confirm_book", evidence }, input, "affiliate");
