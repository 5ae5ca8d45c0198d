// Feeds orders over the public API: an affiliate per customer, a commission per sale, a reversal per refund.
import { type ApiClient, ApiRefusal, inParallel } from "./api-client.ts";
import type { Refund } from "./demo-plan.ts";
import type { Order } from "./orders-csv.ts";
import type { StripeControl } from "./stripe-control.ts";

const width = 16;
const progressEvery = 500;

export interface Feed {
  readonly api: ApiClient;
  readonly stripe: StripeControl;
  /** Affiliates by the customer that they stand for. */
  readonly affiliates: Map<string, string>;
  readonly leaveOut: (reason: string) => void;
  readonly say: (line: string) => void;
}

async function enrol(feed: Feed, customerId: string): Promise<void> {
  const account = await feed.stripe.seedAccount();
  const affiliate = await feed.api.post<{ id: string }>("/v1/affiliates", {
    name: `Customer ${customerId}`,
    email: `customer-${customerId.replaceAll(/[^A-Za-z0-9]/g, "-").slice(0, 50)}@example.com`,
    external_id: customerId,
  });
  await feed.api.put(`/v1/affiliates/${affiliate.id}/payout-method`, {
    payout_method: "stripe",
    stripe_account_id: account,
  });
  feed.affiliates.set(customerId, affiliate.id);
}

/** Refusals are counted by their code, because a file may hold what no program would accept. */
async function isTaken(feed: Feed, what: string, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.status >= 500) throw error;
    feed.leaveOut(`${what} refused: ${error.code}`);
    return false;
  }
}

/** Runs all, saying every so many how far it is; resolves with how many were taken. */
async function feedAll<A>(
  feed: Feed,
  what: string,
  items: readonly A[],
  total: number,
  take: (item: A, count: (taken: boolean) => void) => Promise<void>,
): Promise<number> {
  let seen = 0;
  let taken = 0;
  await inParallel(items, width, (item) =>
    take(item, (wasTaken) => {
      seen += 1;
      taken += Number(wasTaken);
      if (seen % progressEvery === 0 && seen < total) feed.say(`    ${seen} of ${total} ${what}`);
    }),
  );
  return taken;
}

/** Resolves with how many commissions were recorded. */
export async function feedSales(feed: Feed, sales: readonly Order[]): Promise<number> {
  const customers = [...new Set(sales.map((sale) => sale.customerId))];
  const strangers = customers.filter((customerId) => !feed.affiliates.has(customerId));
  await feedAll(feed, "affiliates", strangers, strangers.length, async (customerId, count) => {
    await enrol(feed, customerId);
    count(true);
  });
  return feedAll(feed, "orders", sales, sales.length, async (sale, count) => {
    const body = {
      affiliate_id: feed.affiliates.get(sale.customerId),
      external_id: sale.orderId,
      order_amount: sale.total,
      currency: sale.currency,
      occurred_at: sale.orderedAt,
    };
    count(await isTaken(feed, "a sale", () => feed.api.post("/v1/commissions", body)));
  });
}

/** Resolves with how many refunds were taken. Those of one sale go one after the other. */
export function feedRefunds(feed: Feed, refunds: readonly Refund[]): Promise<number> {
  const bySale = [...Map.groupBy(refunds, (refund) => refund.saleId).values()];
  return feedAll(feed, "refunds", bySale, refunds.length, async (ofOneSale, count) => {
    for (const refund of ofOneSale) {
      const path = `/v1/commissions/ext:${encodeURIComponent(refund.saleId)}/reverse`;
      const body = {
        order_amount: refund.amount,
        reason: "the customer sent the goods back",
        external_id: refund.refundId,
      };
      count(await isTaken(feed, "a refund", () => feed.api.post(path, body)));
    }
  });
}
