// Partnero's pages of payouts: its filters by partner, its links and meta, one page over ours.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { Payout } from "../domain/payout.ts";
import { findNumbered } from "../store/dialect-reads.ts";
import { listByEmail, type PartneroFilters, pagePartneroPayouts } from "../store/dialect-reads-partnero.ts";
import { readAffiliatesOf } from "../store/payouts.ts";
import { resolveAffiliates } from "../store/refs.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { no } from "./partnero-answers.ts";
import { affiliateRefOf } from "./refs.ts";

export const WINDOW = {
  page: pageNumber,
  limit: pageSize(15, 250),
  sort: z.enum(["asc", "desc"]).optional().meta({ description: "By creation; newest first unless given." }),
};

const ref = z.string().min(1).max(260).optional();

export const PARTNER = { partner_id: ref, partner_key: ref, partner_email: z.string().max(254).optional() };
type Named = { readonly [Name in keyof typeof PARTNER]?: string | undefined };

/** Whom a query names: whoever answers to all of it; undefined where it names nobody in particular. */
export const partnersNamed = async (
  { db, program }: Ctx,
  { partner_id, partner_key, partner_email }: Named,
): Promise<readonly AffiliateId[] | undefined> => {
  const refs = [partner_id, partner_key].flatMap((text) =>
    text === undefined ? [] : [affiliateRefOf(text)],
  );
  const byRef = refs.length === 0 ? [] : await resolveAffiliates(db, program.id, refs);
  const named = byRef.map((id) => (id === undefined ? [] : [id]));
  if (partner_email !== undefined)
    named.push((await listByEmail(db, program.id, partner_email)).map(({ id }) => id));
  const [first, ...more] = named;
  return first?.filter((id) => more.every((ids) => ids.includes(id)));
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    links: z.object({
      first: z.string(),
      last: z.string(),
      prev: z.string().nullable(),
      next: z.string().nullable(),
    }),
    meta: z.object({
      current_page: z.int(),
      from: z.int().nullable(),
      last_page: z.int(),
      path: z.string(),
      per_page: z.int(),
      to: z.int().nullable(),
      total: z.int(),
    }),
    status: z.literal(1),
  });

interface Asked {
  readonly page: number;
  readonly limit: number;
  readonly sort?: "asc" | "desc" | undefined;
}

const BASE = "/dialects/partnero";

/** The same question for another page. */
const linker = (path: string, query: object) => (page: number) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const params = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  params.set("page", String(page));
  return `${path}?${params}`;
};

export const listPage = async <Item>(
  ctx: Ctx,
  path: string,
  query: Asked,
  filters: PartneroFilters,
  toItem: (payout: Payout, affiliate: Affiliate) => Item,
) => {
  const { db, program, config } = ctx;
  const { page, limit: size, sort = "desc" } = query;
  const { items, total } = await pagePartneroPayouts(db, program.id, filters, sort, { page, size });
  const payees = await readAffiliatesOf(
    db,
    program.id,
    items.map(({ payout }) => payout.affiliateId),
  );
  const url = `${config.publicUrl}${BASE}${path}`;
  const link = linker(url, query);
  const last = Math.max(Math.ceil(total / size), 1);
  const before = (page - 1) * size;
  return {
    data: items.flatMap(({ payout }) => {
      const payee = payees.get(payout.affiliateId);
      return payee === undefined ? [] : [toItem(payout, payee)];
    }),
    links: {
      first: link(1),
      last: link(last),
      prev: page > 1 ? link(Math.min(page - 1, last)) : null,
      next: page < last ? link(page + 1) : null,
    },
    meta: {
      current_page: page,
      from: items.length === 0 ? null : before + 1,
      last_page: last,
      path: url,
      per_page: size,
      to: items.length === 0 ? null : before + items.length,
      total,
    },
    status: 1 as const,
  };
};

export interface Found {
  readonly payout: Payout;
  readonly affiliate: Affiliate;
}

export const requirePayout = async ({ db, program }: Ctx, id: string): Promise<Found> => {
  const found = await findNumbered(db, program.id, id);
  if (found === undefined) throw no("payout_not_found", "No such payout request in this program.");
  const { payout } = found;
  const affiliate = (await readAffiliatesOf(db, program.id, [payout.affiliateId])).get(payout.affiliateId);
  if (affiliate === undefined) throw new Error(`payout ${payout.id} without its affiliate`);
  return { payout, affiliate };
};
