// Says where an affiliate's money goes; a destination that cannot receive yet is recorded with what it misses.
import type { Ctx } from "../context.ts";
import type { Destination } from "../domain/affiliate.ts";
import type { PostalAddress } from "../domain/files/payment-line.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import type { PayoutMethod } from "../domain/payout.ts";
import { carries } from "../domain/rail-currencies.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import { type AffiliateRef, destinationPlace } from "../store/affiliates.ts";
import { secretsOf } from "../store/credentials.ts";
import { digestOf } from "../store/key-hash.ts";
import { findProgram } from "../store/programs.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { askStripe } from "./ask-stripe.ts";
import { type AffiliateDone, requireAffiliate } from "./create-affiliate.ts";

/** iban and swift in electronic format. */
export interface BankDetails {
  readonly accountName: string;
  readonly iban: string;
  readonly swift: string;
  /** Free text is kept for people; only a structured address goes into payout files. */
  readonly address: PostalAddress | string | null;
}

export type MethodChoice =
  | { readonly method: "stripe"; readonly accountId: string }
  | { readonly method: "paypal"; readonly email: string }
  | { readonly method: "wise"; readonly email: string; readonly currency: Currency }
  | { readonly method: "bank_transfer"; readonly bank: BankDetails }
  | { readonly method: "store_credit" | "manual" };

interface Standing {
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly readyAsOf: number | null;
}

const no = (code: RefusalCode, detail: string, pointer: string): Refused =>
  new Refused(refuse(code, detail, { pointer }).refusal);

/** What must be the same for two destinations to be the same one, in one spelling. */
const canonicalOf = (choice: MethodChoice): readonly string[] => {
  switch (choice.method) {
    case "stripe":
      return ["stripe", choice.accountId];
    case "paypal":
      return ["paypal", choice.email.toLowerCase()];
    case "wise":
      return ["wise", choice.email.toLowerCase(), choice.currency];
    case "bank_transfer": {
      const { accountName, iban, swift, address } = choice.bank;
      const holder = ["bank_transfer", accountName, iban, swift];
      if (address === null || typeof address === "string") return [...holder, address ?? ""];
      const { street, postalCode, town, country } = address;
      return [...holder, street ?? "", postalCode ?? "", town, country];
    }
    default:
      return [choice.method];
  }
};

/** What names a destination for comparison, whatever it is sealed under. */
export const destinationShaOf = (choice: MethodChoice): Promise<string> =>
  digestOf(JSON.stringify(canonicalOf(choice)));

const destinationOf = async (
  ctx: Ctx,
  affiliateId: AffiliateId,
  choice: MethodChoice,
): Promise<Destination> => {
  const sha = await destinationShaOf(choice);
  const bare = { method: choice.method, sha, account: null, display: null, sealed: null, currency: null };
  switch (choice.method) {
    case "stripe":
      return { ...bare, account: choice.accountId, display: choice.accountId };
    case "paypal":
      return { ...bare, account: choice.email, display: choice.email };
    case "wise":
      return { ...bare, account: choice.email, display: choice.email, currency: choice.currency };
    case "bank_transfer": {
      const place = destinationPlace(ctx.program.id, affiliateId);
      const sealed = await ctx.vault.seal(JSON.stringify(choice.bank), place);
      return { ...bare, display: choice.bank.iban.slice(-4), sealed };
    }
    default:
      return bare;
  }
};

/** Only Stripe says of itself whether an account can be sent money; elsewhere the payment will show. */
const standingOf = async (ctx: Ctx, choice: MethodChoice): Promise<Standing> => {
  if (choice.method !== "stripe") return { ready: true, missing: [], readyAsOf: null };
  const secret = await secretsOf(ctx.db, ctx.vault, ctx.program.id, "stripe");
  if (secret === undefined) {
    const detail = "The program has no Stripe credentials: PUT /v1/program/credentials/stripe first.";
    throw no("credentials_missing", detail, "/payout_method");
  }
  const readyAsOf = ctx.now();
  const { ready, missing } = await askStripe(
    ctx.stripeAccounts.readinessOf(secret.secretKey, choice.accountId),
  );
  return { ready, missing, readyAsOf };
};

const assertOffered = async (ctx: Ctx, method: PayoutMethod): Promise<void> => {
  const program = await findProgram(ctx.db, ctx.program.id);
  if (program?.policy.payout_methods.includes(method)) return;
  throw no("rail_not_available", `The program does not offer ${method}.`, "/payout_method");
};

export const setPayoutMethod = async (
  ctx: Ctx,
  ref: AffiliateRef,
  choice: MethodChoice,
  input: TurnInput,
): Promise<AffiliateDone> => {
  const { id } = await requireAffiliate(ctx, ref);
  await assertOffered(ctx, choice.method);
  if (choice.method === "wise" && !carries("wise", choice.currency)) {
    throw no("currency_not_supported_by_method", `wise cannot carry ${choice.currency}.`, "/currency");
  }
  const standing = await standingOf(ctx, choice);
  const destination = await destinationOf(ctx, id, choice);
  const command = { kind: "set_payout_method", destination, ...standing } as const;
  const done = await applyTurn(ctx, id, command, input, "affiliate");
  return { affiliate: await requireAffiliate(ctx, { id }), replayed: done.replayed };
};
