// Sends one endpoint a test message in the call and tells what came of it; it stands in no feed and counts for nothing.
import type { Ctx } from "../context.ts";
import { type Outcome, unanswered } from "../domain/webhooks/answer.ts";
import type { EndpointId } from "../domain/webhooks/endpoint.ts";
import { testMessage } from "../domain/webhooks/message.ts";
import { newBody } from "./apply-turn.ts";
import { checkWebhookUrl } from "./check-webhook-url.ts";
import { requireEndpoint } from "./require-webhook-endpoint.ts";
import { sendWebhook, signingKeys } from "./send-webhook.ts";

export interface Tested {
  readonly eventId: string;
  readonly outcome: Outcome;
}

/** Also to an endpoint that is switched off: to see whether it may be switched on again. */
export const testWebhookEndpoint = async (ctx: Ctx, id: EndpointId): Promise<Tested> => {
  const endpoint = await requireEndpoint(ctx, id);
  const eventId = `evt_${newBody(ctx)}`;
  const of = { at: ctx.now(), livemode: ctx.program.mode === "live", actor: ctx.actor };
  const message = testMessage(eventId, endpoint, of);
  const checked = await checkWebhookUrl(ctx, ctx.program.mode, endpoint.url);
  if ("refused" in checked) return { eventId, outcome: unanswered(checked.error, 0) };
  const ports = { ...ctx, now: ctx.realNow };
  const keys = await signingKeys(ports, endpoint, ports.now());
  return { eventId, outcome: await sendWebhook(ports, checked.url, keys, message) };
};
