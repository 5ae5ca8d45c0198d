// The statement of a payout: a page to print or to keep, with every line of it.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { toBase64Url } from "../../domain/base64url.ts";
import type { PayoutId } from "../../domain/ids.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { isReverseCharge, type TaxFormDetails } from "../../domain/tax.ts";
import { findAffiliate } from "../../store/affiliates.ts";
import { findPayout, listPayoutLines } from "../../store/payouts.ts";
import { findProgram } from "../../store/programs.ts";
import { commissionOf } from "../../store/rows.ts";
import { findSealedTaxForm, taxFormPlace } from "../../store/tax-forms.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { defineRoute } from "../route.ts";
import { type StatementFacts, statementFoot, statementHead, statementLine } from "../statement-page.ts";
import { streamed } from "../streamed.ts";
import { payoutId } from "../wire.ts";

const LINES_PAGE = 1_000;

const statement = defineRoute(
  { to: "payouts:read", portal: "payout" },
  {
    method: "get",
    path: "/v1/payouts/{payout_id}/statement",
    tags: ["payouts"],
    summary: "Read a payout's statement",
    description:
      "A page to print: payer and payee with their VAT ids, every commission, what was reversed, the net, method and reference. It bears the payout's `invoice_number` once it is paid.",
    request: { params: z.object({ payout_id: payoutId }) },
    responses: { 200: { description: "The statement", content: { "text/html": { schema: z.string() } } } },
  },
);

const notFound = (): Refused =>
  new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);

const formOf = async (
  c: Context<AppEnv>,
  affiliateId: `aff_${string}`,
): Promise<TaxFormDetails | undefined> => {
  const { db, vault, program } = ctxOf(c);
  const form = await findSealedTaxForm(db, program.id, affiliateId);
  if (form === undefined) return undefined;
  const opened = await vault.open(form.sealed, taxFormPlace(program.id, affiliateId, form.filedAt));
  return JSON.parse(opened) as TaxFormDetails;
};

const factsOf = async (c: Context<AppEnv>, id: PayoutId): Promise<StatementFacts> => {
  const { db, program: warm, random } = ctxOf(c);
  const view = await findPayout(db, warm.id, id);
  if (view === undefined) throw notFound();
  const { payout } = view;
  const affiliate = await findAffiliate(db, warm.id, { id: payout.affiliateId });
  if (affiliate === undefined) throw new Error("a payout without its affiliate");
  const form = await formOf(c, payout.affiliateId);
  const program = (await findProgram(db, warm.id)) ?? warm;
  const { legal, time_zone: zone } = program.policy;
  const merchantVat = legal.vat_id ?? null;
  const affiliateVat = form?.vatId ?? null;
  return {
    payout,
    merchant: { name: legal.name ?? program.name, address: legal.address ?? null, vatId: merchantVat },
    affiliate: {
      name: form?.legalName ?? affiliate.name,
      address: form?.address ?? null,
      vatId: affiliateVat,
      externalId: affiliate.externalId,
    },
    invoiceNumber: view.invoiceNumber,
    creditNoteNumber: view.creditNoteNumber,
    isReverseCharge: isReverseCharge(merchantVat, affiliateVat),
    zone,
    nonce: toBase64Url(random(16)),
  };
};

/** Lines are read page by page as the reader takes them. */
const bodyOf = (c: Context<AppEnv>, facts: StatementFacts): ReadableStream<Uint8Array> => {
  const { db, program } = ctxOf(c);
  const { payout, zone } = facts;
  const encoder = new TextEncoder();
  let after: string | undefined;
  let isBegun = false;
  return streamed(c, async (controller) => {
    const put = async (part: unknown) => controller.enqueue(encoder.encode(String(await part)));
    if (!isBegun) {
      isBegun = true;
      return put(statementHead(facts));
    }
    const page = { limit: LINES_PAGE, order: "asc" as const, after };
    const { lines, hasMore } = await listPayoutLines(db, program.id, payout.id, page);
    for (const { commission: row, claimed } of lines) {
      const { id, externalId, kind, note, occurredAt, amount } = commissionOf(row);
      // The note of a sale is why it was held: it is not for the affiliate's eyes.
      const shown = kind === "sale" ? null : note;
      const line = { reference: externalId ?? id, kind, note: shown, occurredAt, amount, claimed };
      await put(statementLine(line, payout.currency, zone));
      after = id;
    }
    if (hasMore) return;
    await put(statementFoot(facts));
    controller.close();
  });
};

export const registerStatements: Register = (app) => {
  app.openapi(statement, async (c) => {
    const facts = await factsOf(c, c.req.valid("param").payout_id);
    return new Response(bodyOf(c, facts), {
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": `default-src 'none'; style-src 'nonce-${facts.nonce}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      },
    }) as never;
  });
};
