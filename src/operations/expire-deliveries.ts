// Deliveries go when they are old, and when their endpoint is gone: a few bounded pages a sweep, the rest with the next.
import type { Ports } from "../context.ts";
import { RETENTION_MS } from "../domain/webhooks/endpoint.ts";
import { deleteDeliveries } from "../store/delivery-sweep.ts";

const PAGE_LIMIT = 1_000;
const PAGES_MAX = 5;

export const expireDeliveries = async (ports: Pick<Ports, "db" | "now">): Promise<void> => {
  const before = ports.now() - RETENTION_MS;
  for (let page = 0; page < PAGES_MAX; page++)
    if ((await deleteDeliveries(ports.db, before, PAGE_LIMIT)) < PAGE_LIMIT) return;
};
