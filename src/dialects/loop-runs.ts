// Loop's batches: the weekly draft, the nightly run, the month's run once per period, and one affiliate's payout of a period.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { addDays, dateOf, endOfDate, startOfDate } from "../domain/dates.ts";
import type { AffiliateId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import type { TurnInput } from "../operations/apply-turn.ts";
import { type Generated, type GenerateInput, generatePayouts } from "../operations/generate-payouts.ts";
import { listWaitingCurrencies } from "../store/dialect-reads.ts";
import { readPeriod } from "../store/dialect-reads-loop.ts";
import { resolveAffiliates } from "../store/refs.ts";
import { cents, createdSchema, endOut, instant, startOut, toCreated } from "./loop-payout.ts";
import { dateTime, requiredLine } from "./loop-texts.ts";
import { affiliateRefOf } from "./refs.ts";
import { dayIn } from "./times.ts";

const OTHER_CURRENCIES = "X-Stipend-Other-Currencies";

/** Loop's totals name no currency: its batches pay the program's own, and a header names others that wait. */
const headersOf = async (
  ctx: Ctx,
  { start, end }: { readonly start: string | null; readonly end: string },
  replayed = false,
): Promise<Record<string, string>> => {
  const zone = ctx.program.policy.time_zone;
  const others = await listWaitingCurrencies(ctx.db, ctx.program.id, ctx.program.defaultCurrency, {
    asOf: ctx.now(),
    from: start === null ? 0 : startOfDate(start, zone),
    until: endOfDate(end, zone),
  });
  return {
    ...(others.length === 0 ? {} : { [OTHER_CURRENCIES]: others.join(",") }),
    ...(replayed ? { "Idempotent-Replayed": "true" } : {}),
  };
};

const sumOf = ({ totals }: Pick<Generated, "totals">): string =>
  String(totals.reduce((sum, { amount }) => sum + amount, 0));

const countOf = ({ totals }: Pick<Generated, "totals">): number =>
  totals.reduce((sum, { count }) => sum + count, 0);

const skippedOf = ({ skippedCount }: Pick<Generated, "skippedCount">): number =>
  Object.values(skippedCount).reduce((sum, n) => sum + n, 0);

const statusOf = ({ isWhole }: Pick<Generated, "isWhole">): number => (isWhole ? 200 : 202);

const todayOf = (ctx: Ctx): string => dateOf(ctx.now(), ctx.program.policy.time_zone);

/** All that is payable now, whenever it was earned. */
const generateAll = (ctx: Ctx, turn: TurnInput, end: string): Promise<Generated> =>
  generatePayouts(ctx, {
    ...turn,
    periodStart: null,
    periodEnd: end,
    currency: ctx.program.defaultCurrency,
    affiliateIds: null,
  });

const answersOf = <Schema extends z.ZodType>(schema: Schema) => ({
  200: { description: `The batch; ${OTHER_CURRENCIES} names currencies that wait`, schema },
  202: { description: "What is made so far; the rest is made in the background", schema },
});

export const draft = dialectRoute({
  method: "POST",
  path: "/v1/admin/payouts/draft",
  scope: "payouts:write",
  summary: "Draft the weekly payout batch for finance review",
  source: "documented",
  keeps: "turn",
  answers: answersOf(z.object({ drafted: z.int(), total_cents: cents })),
  async handle({ ctx, turn }) {
    const end = todayOf(ctx);
    const made = await generateAll(ctx, turn, end);
    return {
      status: statusOf(made),
      body: { drafted: countOf(made), total_cents: sumOf(made) },
      headers: await headersOf(ctx, { start: null, end }, made.replayed),
    };
  },
});

export const runNightly = dialectRoute({
  method: "POST",
  path: "/v1/admin/payouts/run-nightly",
  scope: "payouts:write",
  summary: "Run the nightly payout batch for all active affiliates",
  source: "documented",
  keeps: "turn",
  answers: answersOf(z.object({ processed: z.int(), total_cents: cents, errors: z.int() })),
  async handle({ ctx, turn }) {
    const end = todayOf(ctx);
    const made = await generateAll(ctx, turn, end);
    return {
      status: statusOf(made),
      body: { processed: countOf(made), total_cents: sumOf(made), errors: 0 },
      headers: await headersOf(ctx, { start: null, end }, made.replayed),
    };
  },
});

const MONTHLY = z.object({ period_start: dateTime.nullish(), period_end: dateTime.nullish() });

const firstOf = (day: string): string => `${day.slice(0, 7)}-01`;
const lastOf = (day: string): string => addDays(firstOf(addDays(firstOf(day), 31)), -1);

/** The calendar month before this one, or the rest of the month that one end stands in. */
const monthOf = (ctx: Ctx, { period_start, period_end }: z.output<typeof MONTHLY>) => {
  const zone = ctx.program.policy.time_zone;
  const [from, to] = [period_start, period_end].map((text) => (text == null ? undefined : dayIn(text, zone)));
  const last = addDays(firstOf(todayOf(ctx)), -1);
  return { start: from ?? firstOf(to ?? last), end: to ?? lastOf(from ?? last) };
};

const monthlySchema = z.object({
  period_start: instant,
  period_end: instant,
  created: z.int(),
  skipped: z.int(),
  already_exists: z.int(),
  total_net_cents: cents,
  errors: z.int(),
});

/** A run's row names its affiliates: so many keep well within what a row may hold. */
const RUN_AFFILIATES_MAX = 20_000;

const sharesOf = (affiliateIds: readonly AffiliateId[]): (readonly AffiliateId[])[] =>
  Array.from({ length: Math.ceil(affiliateIds.length / RUN_AFFILIATES_MAX) }, (_, n) =>
    affiliateIds.slice(n * RUN_AFFILIATES_MAX, (n + 1) * RUN_AFFILIATES_MAX),
  );

/** Who has a payout of the period is passed over, also by the same request again; a period that cannot be is refused as any run's. */
const runPeriod = async (ctx: Ctx, period: { readonly start: string; readonly end: string }) => {
  const { db, program } = ctx;
  const { time_zone: zone } = program.policy;
  const currency = program.defaultCurrency;
  const from = startOfDate(period.start, zone);
  const until = endOfDate(period.end, zone);
  const { made, unmade } = await readPeriod(db, program.id, { ...period, currency, from, until });
  const input: Omit<GenerateInput, "affiliateIds"> = {
    commandId: undefined,
    requestSha: "",
    periodStart: period.start,
    periodEnd: period.end,
    currency,
  };
  const isPossible = period.start <= period.end && period.start <= todayOf(ctx);
  const shares = isPossible ? sharesOf(unmade) : [[]];
  const runs: Generated[] = [];
  for (const affiliateIds of shares) runs.push(await generatePayouts(ctx, { ...input, affiliateIds }));
  return {
    made,
    isWhole: runs.every(({ isWhole }) => isWhole),
    totals: runs.flatMap(({ totals }) => totals),
    skipped: runs.reduce((sum, run) => sum + skippedOf(run), 0),
  };
};

export const runMonthly = dialectRoute({
  method: "POST",
  path: "/v1/admin/payouts/run-monthly",
  scope: "payouts:write",
  summary: "Gather a month's commissions into payouts, once per period",
  source: "documented",
  body: MONTHLY,
  answers: answersOf(monthlySchema),
  async handle({ ctx, body }) {
    const period = monthOf(ctx, body);
    const run = await runPeriod(ctx, period);
    return {
      status: statusOf(run),
      body: {
        period_start: startOut(ctx, period.start),
        period_end: endOut(ctx, period.end),
        created: countOf(run),
        skipped: run.skipped,
        already_exists: run.made,
        total_net_cents: sumOf(run),
        errors: 0,
      },
      headers: await headersOf(ctx, period),
    };
  },
});

export const PERIOD_OF_ONE = {
  affiliate_id: requiredLine(260),
  period_start: dateTime,
  period_end: dateTime,
};

export const requireAffiliate = async (
  { db, program }: Ctx,
  text: string,
  pointer?: string,
): Promise<AffiliateId> => {
  const [id] = await resolveAffiliates(db, program.id, [affiliateRefOf(text)]);
  if (id !== undefined) return id;
  const more = pointer === undefined ? {} : { pointer };
  throw new Refused(refuse("affiliate_not_found", "No such affiliate in this program.", more).refusal);
};

const nothingDue = ({ skipped }: Generated): Refused => {
  const why = skipped.flatMap(({ blockers }) => blockers.map(({ detail }) => detail)).join(" ");
  const detail = `No commissions of the affiliate can be paid for the period. ${why}`.trim();
  return new Refused(refuse("nothing_due", detail).refusal);
};

export const createPayout = dialectRoute({
  method: "POST",
  path: "/v1/payouts",
  scope: "payouts:write",
  summary: "Make an affiliate's payout of a period",
  source: "documented",
  keeps: "turn",
  body: z.object(PERIOD_OF_ONE),
  answers: { 201: { description: "Payout created", schema: createdSchema } },
  async handle({ ctx, body, turn }) {
    const zone = ctx.program.policy.time_zone;
    const affiliateId = await requireAffiliate(ctx, body.affiliate_id, "/affiliate_id");
    const made = await generatePayouts(ctx, {
      ...turn,
      periodStart: dayIn(body.period_start, zone),
      periodEnd: dayIn(body.period_end, zone),
      currency: ctx.program.defaultCurrency,
      affiliateIds: [affiliateId],
    });
    const [payout] = made.payouts;
    if (payout === undefined) throw nothingDue(made);
    const headers = made.replayed ? { "Idempotent-Replayed": "true" } : {};
    return { status: 201, body: toCreated(ctx, payout), headers };
  },
});
