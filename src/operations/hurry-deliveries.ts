// Makes a program's waiting retries due: its test clock was moved forward.
import type { Ctx } from "../context.ts";
import { hurryDue } from "../store/deliveries.ts";

export const hurryDeliveries = async (ctx: Ctx): Promise<void> => {
  const { id: programId } = ctx.program;
  await hurryDue(ctx.db, programId, ctx.realNow());
  await ctx.deliveries.send({ kind: "fan_out", programId });
};
