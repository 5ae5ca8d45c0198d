// An affiliate's tax form: taken whole, kept sealed, shown by its last four characters.
import { z } from "@hono/zod-openapi";
import type { Affiliate } from "../../domain/affiliate.ts";
import { toInstant } from "../../domain/dates.ts";
import { isCurrent, TAX_FORMS, type TaxFormDetails } from "../../domain/tax.ts";
import { requireAffiliate } from "../../operations/create-affiliate.ts";
import { fileTaxForm } from "../../operations/file-tax-form.ts";
import { ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, countryCode, date, instantText, jsonAnswer, jsonBody, lineText } from "../wire.ts";

const PARAMS = z.object({ affiliate_id: affiliateRef });

const bare = (text: string): string => text.replaceAll(/[\s.\-/]/g, "").toUpperCase();

const taxNumber = z
  .string()
  .max(40)
  .transform(bare)
  .refine((text) => /^[A-Z0-9]{4,20}$/.test(text), "must be 4 to 20 letters and digits")
  .openapi({ type: "string", description: "Kept sealed; only its last four characters are shown." });

const vatId = z
  .string()
  .max(40)
  .transform(bare)
  .refine((text) => /^[A-Z]{2}[A-Z0-9+*]{2,13}$/.test(text), "must be a country code and 2 to 13 characters")
  .openapi({ type: "string", example: "DE123456789" });

const BODY = z.strictObject({
  form: z.enum(TAX_FORMS),
  legal_name: lineText(140),
  address: lineText(300),
  country: countryCode,
  tax_id: taxNumber.optional(),
  vat_id: vatId.optional(),
  signed_on: date,
});

export const taxFormSchema = z
  .object({
    affiliate_id: z.string(),
    form: z.enum(TAX_FORMS),
    country: z.string(),
    last4: z
      .string()
      .openapi({ description: "Of the tax number, or of the VAT id where there is no other." }),
    status: z.enum(["valid", "expired"]),
    filed_at: instantText,
    expires_at: instantText.nullable().openapi({
      description: "A W-8 ends with the third calendar year after its signature; null: it does not expire.",
    }),
  })
  .openapi("TaxForm");

const put = defineRoute(
  { to: "affiliates:write", idempotency: "honoured", portal: "affiliate" },
  {
    method: "put",
    path: "/v1/affiliates/{affiliate_id}/tax-form",
    tags: ["affiliates"],
    summary: "File an affiliate's tax form",
    description:
      "A W-9 for US persons, a W-8BEN or W-8BEN-E for others, or a VAT id alone. A newer form replaces the older one, which stays on file.",
    request: { params: PARAMS, body: jsonBody(BODY) },
    responses: { 200: jsonAnswer(taxFormSchema, "The form on file, without its numbers") },
  },
);

const read = defineRoute(
  { to: "affiliates:read" },
  {
    method: "get",
    path: "/v1/affiliates/{affiliate_id}/tax-form",
    tags: ["affiliates"],
    summary: "Say which tax form is on file",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(taxFormSchema, "The form on file, without its numbers") },
  },
);

const detailsOf = (body: z.output<typeof BODY>): TaxFormDetails => ({
  kind: body.form,
  legalName: body.legal_name,
  address: body.address,
  country: body.country,
  taxId: body.tax_id ?? null,
  vatId: body.vat_id ?? null,
  signedOn: body.signed_on,
});

const toWire = (affiliate: Affiliate, now: number): z.infer<typeof taxFormSchema> => {
  const { taxForm } = affiliate;
  if (taxForm === null) throw new Problem("not_found", "No tax form is on file.");
  return {
    affiliate_id: affiliate.id,
    form: taxForm.kind,
    country: taxForm.country,
    last4: taxForm.last4,
    status: isCurrent(taxForm, now) ? "valid" : "expired",
    filed_at: toInstant(taxForm.filedAt),
    expires_at: taxForm.expiresAt === null ? null : toInstant(taxForm.expiresAt),
  };
};

export const registerTaxForm: Register = (app) => {
  app.openapi(put, async (c) => {
    const ctx = ctxOf(c);
    const ref = c.req.valid("param").affiliate_id;
    const done = await fileTaxForm(ctx, ref, detailsOf(c.req.valid("json")), await commandOf(c));
    if (done.replayed) c.header("Idempotent-Replayed", "true");
    return c.json(toWire(done.affiliate, ctx.now()), 200);
  });
  app.openapi(read, async (c) => {
    const ctx = ctxOf(c);
    return c.json(toWire(await requireAffiliate(ctx, c.req.valid("param").affiliate_id), ctx.now()), 200);
  });
};
