// The endpoint that a call names, in its own program or not there.
import type { Ctx } from "../context.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { EndpointId } from "../domain/webhooks/endpoint.ts";
import { findEndpoint, type StoredEndpoint } from "../store/webhook-endpoints.ts";
import { checkWebhookUrl } from "./check-webhook-url.ts";

export const endpointMissing = (): Refused =>
  new Refused(refuse("webhook_endpoint_not_found", "No such webhook endpoint in this program.").refusal);

export const requireEndpoint = async (ctx: Ctx, id: EndpointId): Promise<StoredEndpoint> => {
  const endpoint = await findEndpoint(ctx.db, ctx.program.id, id);
  if (endpoint === undefined) throw endpointMissing();
  return endpoint;
};

/** The address as it will be called. */
export const requireUrl = async (ctx: Ctx, text: string): Promise<string> => {
  const checked = await checkWebhookUrl(ctx, ctx.program.mode, text);
  if ("url" in checked) return checked.url;
  throw new Refused(refuse("webhook_url_refused", `url ${checked.refused}.`, { pointer: "/url" }).refusal);
};

export const urlTaken = (by?: EndpointId): Refused => {
  const facts = by === undefined ? {} : { facts: { endpoint_id: by } };
  const detail = "Another endpoint of this program has this url: change that one, or delete it first.";
  return new Refused(refuse("webhook_url_taken", detail, { pointer: "/url", ...facts }).refusal);
};

export const endpointOff = (): Refused =>
  new Refused(refuse("invalid_state", "The endpoint is switched off: set `active` to true first.").refusal);
