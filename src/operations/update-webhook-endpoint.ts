// Changes a webhook endpoint, field by field; switches it off, and on again where it stopped.
import type { Ctx } from "../context.ts";
import { type EndpointId, RETENTION_MS } from "../domain/webhooks/endpoint.ts";
import {
  disableEndpoint,
  type EndpointPatch,
  type StoredEndpoint,
  updateEndpoint,
} from "../store/webhook-endpoints.ts";
import { requireEndpoint, requireUrl, urlTaken } from "./require-webhook-endpoint.ts";

export interface EndpointChange extends EndpointPatch {
  readonly active?: boolean | undefined;
}

const switchOff = (ctx: Ctx, endpoint: StoredEndpoint): Promise<boolean> =>
  disableEndpoint(ctx.db, endpoint, "by_hand", ctx.realNow(), {
    programId: endpoint.programId,
    livemode: ctx.program.mode === "live",
    type: "webhook_endpoint.disabled",
    actor: ctx.actor,
    at: ctx.now(),
    data: {
      object: "webhook_endpoint",
      id: endpoint.id,
      status: "disabled",
      previous_status: "active",
      reason: "by_hand",
    },
  });

export const updateWebhookEndpoint = async (
  ctx: Ctx,
  id: EndpointId,
  change: EndpointChange,
): Promise<StoredEndpoint> => {
  const before = await requireEndpoint(ctx, id);
  const { active, ...fields } = change;
  const url = fields.url === undefined ? undefined : await requireUrl(ctx, fields.url);
  const enabledFrom = active === true ? ctx.now() - RETENTION_MS : undefined;
  const isFree = await updateEndpoint(ctx.db, before, { ...fields, url, enabledFrom }, ctx.realNow());
  if (!isFree) throw urlTaken();
  if (active === false) await switchOff(ctx, { ...before, url: url ?? before.url });
  if (active === true) await ctx.deliveries.send({ kind: "fan_out", programId: before.programId });
  return requireEndpoint(ctx, id);
};
