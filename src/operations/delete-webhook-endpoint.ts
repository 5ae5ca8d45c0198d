// Takes a webhook endpoint away, and with it all that was still to be delivered to it.
import type { Ctx } from "../context.ts";
import type { EndpointId } from "../domain/webhooks/endpoint.ts";
import { deleteEndpoint } from "../store/webhook-endpoints.ts";
import { endpointMissing } from "./require-webhook-endpoint.ts";

export const deleteWebhookEndpoint = async (ctx: Ctx, id: EndpointId): Promise<void> => {
  if (!(await deleteEndpoint(ctx.db, ctx.program.id, id))) throw endpointMissing();
};
