// Sends an endpoint again what it did not get since an instant: what failed, and what was never made for it.
import type { Ctx } from "../context.ts";
import { toInstant } from "../domain/dates.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type EndpointId, RETENTION_MS } from "../domain/webhooks/endpoint.ts";
import { rewindEndpoint } from "../store/deliveries.ts";
import { endpointOff, requireEndpoint } from "./require-webhook-endpoint.ts";

/** Clocks of machines differ, and events stand in the order of their commits: a little too far back sends nothing twice. */
const SLACK_MS = 60_000;

const assertRecent = (since: number, now: number): void => {
  const oldest = now - RETENTION_MS;
  if (since >= oldest && since <= now) return;
  const detail = `since must be from ${toInstant(oldest)} to now: deliveries are kept for 30 days.`;
  throw new Refused(refuse("period_invalid", detail, { pointer: "/since" }).refusal);
};

/** The endpoint goes over the feed again from there; answers the position behind which it does. What it took already stays delivered. */
export const recoverDeliveries = async (ctx: Ctx, id: EndpointId, since: number): Promise<number> => {
  const { programId } = await requireEndpoint(ctx, id);
  assertRecent(since, ctx.now());
  const position = await rewindEndpoint(ctx.db, programId, id, since - SLACK_MS);
  if (position === undefined) throw endpointOff();
  await ctx.deliveries.send({ kind: "fan_out", programId });
  return position;
};
