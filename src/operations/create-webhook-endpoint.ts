// Makes a webhook endpoint: its address checked, its secret sealed and shown this once, its place at the head of the feed.
import type { Ctx } from "../context.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { ENDPOINTS_MAX, type EndpointId, type Subscription } from "../domain/webhooks/endpoint.ts";
import { formatSecret } from "../domain/webhooks/secret.ts";
import { insertEndpoint, type StoredEndpoint, secretPlace } from "../store/webhook-endpoints.ts";
import { createdBody, createdSecret } from "./apply-turn.ts";
import { requireUrl, urlTaken } from "./require-webhook-endpoint.ts";

export interface NewEndpoint {
  readonly url: string;
  readonly events: readonly Subscription[];
  readonly description: string | null;
  readonly ratePerS: number;
}

export interface EndpointWithSecret {
  readonly endpoint: StoredEndpoint;
  /** Kept nowhere but sealed. */
  readonly secret: string;
}

const tooMany = (): Refused =>
  new Refused(
    refuse(
      "too_many_webhook_endpoints",
      `A program has at most ${ENDPOINTS_MAX} webhook endpoints; delete one that is not needed.`,
    ).refusal,
  );

export const createWebhookEndpoint = async (ctx: Ctx, wish: NewEndpoint): Promise<EndpointWithSecret> => {
  const url = await requireUrl(ctx, wish.url);
  const id: EndpointId = `whe_${createdBody(ctx)}`;
  const programId = ctx.program.id;
  const secret = formatSecret(createdSecret(ctx));
  const sealedSecret = await ctx.vault.seal(secret, secretPlace({ programId, id }, "sealed_secret"));
  const createdAt = ctx.keyed?.at ?? ctx.realNow();
  const made = await insertEndpoint(ctx.db, { ...wish, programId, id, url, sealedSecret, createdAt });
  if (made.kind === "too_many") throw tooMany();
  if (made.kind === "url_taken") throw urlTaken(made.by);
  return { endpoint: made.endpoint, secret };
};
