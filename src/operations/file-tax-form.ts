// Files a tax form: its numbers are sealed, its last four characters and its expiry stay readable, and the older forms stay on file.
import type { Ctx } from "../context.ts";
import { dateOf } from "../domain/dates.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { expiryOf, type TaxFormDetails, type TaxFormStanding } from "../domain/tax.ts";
import type { AffiliateRef } from "../store/affiliates.ts";
import { taxFormPlace } from "../store/tax-forms.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { type AffiliateDone, requireAffiliate } from "./create-affiliate.ts";

const no = (detail: string, pointer: string): Refused =>
  new Refused(refuse("tax_form_invalid", detail, { pointer }).refusal);

/** What no form of its kind can be. */
const assertPossible = (ctx: Ctx, form: TaxFormDetails): void => {
  const today = dateOf(ctx.now(), ctx.program.policy.time_zone);
  if (form.signedOn > today) throw no("The form was not signed in the future.", "/signed_on");
  if (form.kind === "w9" && form.country !== "US")
    throw no("A W-9 is for US persons; others file a W-8BEN or W-8BEN-E.", "/country");
  if (form.kind.startsWith("w8") && form.country === "US")
    throw no("A W-8 is for persons outside the US; US persons file a W-9.", "/country");
  if (form.kind === "w9" && !/^\d{9}$/.test(form.taxId ?? ""))
    throw no("A W-9 needs a tax number of nine digits.", "/tax_id");
  if (form.kind === "vat_id" && form.vatId === null) throw no("The VAT id is missing.", "/vat_id");
};

const standingOf = (form: TaxFormDetails, zone: string, now: number): TaxFormStanding => {
  const expiresAt = expiryOf(form.kind, form.signedOn, zone);
  if (expiresAt !== null && expiresAt <= now)
    throw no("A form that was signed then has expired; a new signature is needed.", "/signed_on");
  const shown = form.taxId ?? form.vatId ?? "";
  return { kind: form.kind, country: form.country, last4: shown.slice(-4), filedAt: now, expiresAt };
};

export const fileTaxForm = async (
  ctx: Ctx,
  ref: AffiliateRef,
  details: TaxFormDetails,
  input: TurnInput,
): Promise<AffiliateDone> => {
  const { id } = await requireAffiliate(ctx, ref);
  assertPossible(ctx, details);
  const form = standingOf(details, ctx.program.policy.time_zone, ctx.now());
  const sealed = await ctx.vault.seal(
    JSON.stringify(details),
    taxFormPlace(ctx.program.id, id, form.filedAt),
  );
  const done = await applyTurn(ctx, id, { kind: "set_tax_form", form, sealed }, input, "affiliate");
  return { affiliate: await requireAffiliate(ctx, { id }), replayed: done.replayed };
};
