// Partnero's payout settings of a program: minimum in whole units, hold period, schedule and automatic payouts.
import { z } from "zod";
import type { Ctx, Program } from "../context.ts";
import { addDays, dateOf, isDate } from "../domain/dates.ts";
import type { PayoutSchedule } from "../domain/policy.ts";
import { weekdayOf } from "../domain/schedule.ts";
import { dialectRoute } from "../http/dialect.ts";
import { type PolicyPatch, updateProgram } from "../operations/update-program.ts";
import { findProgram } from "../store/programs.ts";
import { fromDecimal, toNumber } from "./amounts.ts";
import { envelope, enveloped, no } from "./partnero-answers.ts";
import { currencyIn, decimal } from "./partnero-fields.ts";

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
const SCHEDULES = ["manual", "weekly", "bi-weekly", "monthly"] as const;

export const holdPeriod = z.int().min(0).max(365).meta({ description: "Days.", example: 30 });

const SETTINGS = z
  .object({
    minimum_payout: decimal.optional().meta({ description: "Of `currency`, in whole units.", example: 50 }),
    currency: currencyIn.optional().meta({ description: "The program's default one unless given." }),
    hold_period: holdPeriod.optional(),
    payout_schedule: z.enum(SCHEDULES).optional(),
    weekday: z
      .union([z.int().min(1).max(7), z.string().toLowerCase().pipe(z.enum(DAYS))])
      .optional()
      .meta({ description: "1 or monday; of weekly and bi-weekly, Monday unless given." }),
    day_of_month: z.int().min(1).max(31).optional().meta({ description: "Of monthly, 1 unless given." }),
    start_date: z
      .string()
      .refine(isDate, "must be a calendar date YYYY-MM-DD")
      .optional()
      .meta({ description: "The first day of bi-weekly; the next such weekday unless given." }),
    automatic_payouts: z.boolean().optional(),
  })
  .meta({ description: "What is not given stays as it is. A description is taken and not kept." });
type Settings = z.output<typeof SETTINGS>;

const settingsSchema = z.object({
  minimum_payout: z.number(),
  currency: z.string(),
  minimum_payouts: z.array(z.object({ currency: z.string(), minimum_payout: z.number() })),
  hold_period: z.int(),
  payout_schedule: z.enum(SCHEDULES),
  weekday: z.enum(DAYS).nullable(),
  day_of_month: z.int().nullable(),
  start_date: z.string().nullable(),
  automatic_payouts: z.boolean(),
});

/** Minor units; unlike a payment, a minimum may be nothing. */
export const minimumIn = (value: number | string, currency: string): number => {
  const amount = /^0+(?:\.0+)?$/.test(String(value)) ? 0 : fromDecimal(value, currency);
  if (amount !== undefined) return amount;
  throw no("amount_not_sendable", `minimum_payout is no amount that ${currency} has.`, "/minimum_payout");
};

const dayNumber = (day: Settings["weekday"]): number | undefined =>
  typeof day === "string" ? DAYS.indexOf(day) + 1 : day;

const anchorOf = (ctx: Ctx, now: PayoutSchedule, day: number | undefined): string => {
  if (now.kind === "biweekly" && now.anchor_date !== undefined)
    if (day === undefined || weekdayOf(now.anchor_date) === day) return now.anchor_date;
  const today = dateOf(ctx.now(), ctx.program.policy.time_zone);
  return addDays(today, ((day ?? 1) - weekdayOf(today) + 7) % 7);
};

const scheduleOf = (ctx: Ctx, now: PayoutSchedule, settings: Settings): PayoutSchedule | undefined => {
  const { payout_schedule: kind, start_date: start } = settings;
  const day = dayNumber(settings.weekday);
  switch (kind) {
    case undefined:
      return undefined;
    case "manual":
      return { kind };
    case "weekly":
      return { kind, weekday: day ?? 1 };
    case "bi-weekly":
      if (start !== undefined && day !== undefined && weekdayOf(start) !== day)
        throw no("period_invalid", "start_date is not on the weekday.", "/start_date");
      return { kind: "biweekly", anchor_date: start ?? anchorOf(ctx, now, day) };
    case "monthly":
      return { kind, day_of_month: settings.day_of_month ?? 1 };
  }
};

const patchOf = (ctx: Ctx, { policy, defaultCurrency }: Program, settings: Settings): PolicyPatch => {
  const { minimum_payout: minimum, hold_period, automatic_payouts } = settings;
  const currency = settings.currency ?? defaultCurrency;
  return {
    minimum_payout:
      minimum === undefined
        ? undefined
        : { ...policy.minimum_payout, [currency]: minimumIn(minimum, currency) },
    hold_days: hold_period,
    payout_schedule: scheduleOf(ctx, policy.payout_schedule, settings),
    automatic_payouts,
  };
};

const weekdayOut = ({ kind, weekday, anchor_date: anchor }: PayoutSchedule) => {
  const day = kind === "biweekly" && anchor !== undefined ? weekdayOf(anchor) : weekday;
  return kind === "weekly" || kind === "biweekly" ? (DAYS[(day ?? 1) - 1] ?? null) : null;
};

const toWire = ({ policy }: Program, currency: string): z.infer<typeof settingsSchema> => {
  const schedule = policy.payout_schedule;
  return {
    minimum_payout: toNumber(policy.minimum_payout[currency] ?? 0, currency),
    currency,
    minimum_payouts: Object.entries(policy.minimum_payout).map(([of, amount]) => ({
      currency: of,
      minimum_payout: toNumber(amount, of),
    })),
    hold_period: policy.hold_days,
    payout_schedule: schedule.kind === "biweekly" ? "bi-weekly" : schedule.kind,
    weekday: weekdayOut(schedule),
    day_of_month: schedule.kind === "monthly" ? (schedule.day_of_month ?? 1) : null,
    start_date: schedule.anchor_date ?? null,
    automatic_payouts: policy.automatic_payouts,
  };
};

const present = async ({ db, program }: Ctx): Promise<Program> =>
  (await findProgram(db, program.id)) ?? program;

export const readSettings = dialectRoute({
  method: "GET",
  path: "/v1/payout_settings",
  scope: "affiliates:read",
  summary: "Read the payout settings",
  source: "chosen",
  answers: { 200: { description: "The settings", schema: enveloped(settingsSchema) } },
  async handle({ ctx }) {
    const program = await present(ctx);
    return { status: 200, body: envelope(toWire(program, program.defaultCurrency)) };
  },
});

export const updateSettings = dialectRoute({
  method: "PUT",
  path: "/v1/payout_settings",
  scope: "program:admin",
  summary: "Change the payout settings",
  source: "chosen",
  body: SETTINGS,
  answers: { 200: { description: "The settings", schema: enveloped(settingsSchema) } },
  async handle({ ctx, body, forgetKeys }) {
    const program = await updateProgram(ctx, { policy: patchOf(ctx, await present(ctx), body) });
    forgetKeys();
    return { status: 200, body: envelope(toWire(program, body.currency ?? program.defaultCurrency)) };
  },
});
