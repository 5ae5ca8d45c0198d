// A program of the bench and what its storefront calls.
import type { HttpClient } from "./http-client.ts";
import type { Stage } from "./stage.ts";

export interface Shop {
  readonly programId: string;
  readonly key: string;
  readonly http: HttpClient;
}

/** Holds nothing back, so that what is recorded is due at once. */
export const openShop = async (stage: Stage, name: string): Promise<Shop> => {
  const root = stage.clientOf(stage.bindings["ROOT_KEY"] ?? "");
  const made = await root.want<{ program: { id: string }; api_key: { secret: string } }>(
    {
      method: "POST",
      path: "/v1/programs",
      body: { name, default_currency: "USD", hold_days: 0, auto_approve_commissions: true },
    },
    201,
  );
  root.close();
  const key = made.api_key.secret;
  return { programId: made.program.id, key, http: stage.clientOf(key) };
};

/** The same shop over new connections: the old ones ended with the runtime. */
export const reopened = (stage: Stage, shop: Shop): Shop => {
  shop.http.close();
  return { ...shop, http: stage.clientOf(shop.key) };
};

export const enrol = async (shop: Shop, name: string): Promise<string> => {
  const body = { name, email: `${name}@example.com` };
  const made = await shop.http.want<{ id: string }>({ method: "POST", path: "/v1/affiliates", body }, 201);
  return made.id;
};

export const saleOf = (affiliateId: string, orderId: string) => ({
  affiliate_id: affiliateId,
  external_id: orderId,
  amount: 1234,
  currency: "USD",
  occurred_at: "2026-11-01T12:00:00.000Z",
});

/** Resolves with the status. */
export const recordSale = async (
  shop: Shop,
  affiliateId: string,
  orderId: string,
  idempotencyKey?: string,
): Promise<number> => {
  const headers: Record<string, string> =
    idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  const body = saleOf(affiliateId, orderId);
  const answer = await shop.http.send({ method: "POST", path: "/v1/commissions", body, headers });
  if (answer.status !== 201 && answer.status !== 200)
    throw new Error(`a sale → ${answer.status} ${answer.text}`);
  return answer.status;
};
