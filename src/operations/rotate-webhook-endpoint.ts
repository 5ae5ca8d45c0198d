// Gives a webhook endpoint a new secret; for a while the one before signs too, so that its receiver can change over in peace.
import type { Ctx } from "../context.ts";
import type { EndpointId } from "../domain/webhooks/endpoint.ts";
import { formatSecret } from "../domain/webhooks/secret.ts";
import { replaceSecret, type StoredEndpoint, secretPlace } from "../store/webhook-endpoints.ts";
import { createdSecret } from "./apply-turn.ts";
import type { EndpointWithSecret } from "./create-webhook-endpoint.ts";
import { requireEndpoint } from "./require-webhook-endpoint.ts";

const HOUR_MS = 3_600_000;
const TRIES = 3;

const replaced = async (
  ctx: Ctx,
  before: StoredEndpoint,
  previous: string,
  secret: string,
  overlapHours: number,
): Promise<StoredEndpoint | undefined> => {
  const now = ctx.realNow();
  const isKept = overlapHours > 0;
  const after = {
    sealedSecret: await ctx.vault.seal(secret, secretPlace(before, "sealed_secret")),
    sealedPrevious: isKept ? await ctx.vault.seal(previous, secretPlace(before, "sealed_previous")) : null,
    previousUntil: isKept ? now + overlapHours * HOUR_MS : null,
  };
  const isWritten = await replaceSecret(ctx.db, before, after, now);
  return isWritten ? { ...before, ...after, updatedAt: now } : undefined;
};

/** At most two secrets sign: one that was replaced before stops now. */
export const rotateWebhookEndpoint = async (
  ctx: Ctx,
  id: EndpointId,
  overlapHours: number,
): Promise<EndpointWithSecret> => {
  const secret = formatSecret(createdSecret(ctx));
  for (let tried = 0; tried < TRIES; tried++) {
    const before = await requireEndpoint(ctx, id);
    const present = await ctx.vault.open(before.sealedSecret, secretPlace(before, "sealed_secret"));
    // An earlier run of the same request came as far as here.
    if (present === secret) return { endpoint: before, secret };
    const endpoint = await replaced(ctx, before, present, secret, overlapHours);
    if (endpoint !== undefined) return { endpoint, secret };
  }
  throw Object.assign(new Error("the endpoint's secret keeps changing"), { retryAfterS: 1 });
};
