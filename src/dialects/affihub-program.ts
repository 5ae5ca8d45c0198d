// Affihub's program: its minimum payout, in the default currency.
import { z } from "zod";
import type { Program } from "../context.ts";
import { AMOUNT_MAX } from "../domain/money.ts";
import { dialectRoute } from "../http/dialect.ts";
import { updateProgram } from "../operations/update-program.ts";
import { findProgram } from "../store/programs.ts";
import { cents } from "./affihub-payout.ts";

const programSchema = z.object({
  id: z.string(),
  name: z.string(),
  min_payout_cents: cents,
});

const toWire = ({ id, name, policy, defaultCurrency }: Program): z.infer<typeof programSchema> => ({
  id,
  name,
  min_payout_cents: policy.minimum_payout[defaultCurrency] ?? 0,
});

export const updateOwnProgram = dialectRoute({
  method: "PATCH",
  path: "/api/v1/programs/me",
  scope: "program:admin",
  summary: "Change the minimum payout",
  source: "chosen",
  body: z.object({ min_payout_cents: z.int().min(0).max(AMOUNT_MAX) }),
  answers: { 200: { description: "The program", schema: programSchema } },
  async handle({ ctx, body, forgetKeys }) {
    const { policy, defaultCurrency } = (await findProgram(ctx.db, ctx.program.id)) ?? ctx.program;
    const minimum = { ...policy.minimum_payout, [defaultCurrency]: body.min_payout_cents };
    const changed = await updateProgram(ctx, { policy: { minimum_payout: minimum } });
    forgetKeys();
    return { status: 200, body: toWire(changed) };
  },
});
