// Creates payouts at the simulated PayPal, once per sender_batch_id in 30 days, and shows them.

import {
  duplicateBatch,
  insufficientFunds,
  json,
  notFound,
  PayPalFailure,
  wrongMediaType,
} from "./paypal-errors.ts";
import { changeItem } from "./paypal-progress.ts";
import { batchLink, renderHeader, renderItem, renderOneItem } from "./paypal-render.ts";
import type { Handler } from "./paypal-routes.ts";
import { callerOf } from "./paypal-tokens.ts";
import { type NewBatch, readCreation } from "./paypal-validation.ts";
import {
  type AppRecord,
  type BatchRecord,
  DAY_MS,
  type ItemRecord,
  PAYOUTS_SCOPE,
  unitsOf,
  type World,
} from "./paypal-world.ts";

const REMEMBERED_MS = 30 * DAY_MS;

/** After 30 days a sender_batch_id is new again, and the same request pays a second time. */
const refuseRepeated = (world: World, app: AppRecord, made: NewBatch): void => {
  const first = Object.values(world.data.batches).find(
    (batch) =>
      batch.client_id === app.client_id &&
      batch.sender_batch_id !== null &&
      batch.sender_batch_id === made.sender_batch_id &&
      world.now() < batch.created_at + REMEMBERED_MS,
  );
  if (first !== undefined) throw duplicateBatch(first.payout_batch_id);
};

const totalOf = (made: NewBatch): number =>
  made.items.reduce((sum, item) => sum + (unitsOf(item.amount) ?? 0), 0);

const refuseUnfunded = (world: World, app: AppRecord, made: NewBatch): void => {
  const currency = made.items[0]?.amount.currency ?? "";
  if (world.available(app, currency) < totalOf(made)) throw insufficientFunds();
};

function create(world: World, app: AppRecord, made: NewBatch, requestId: string | null): BatchRecord {
  const batch: BatchRecord = {
    payout_batch_id: world.newId(13),
    client_id: app.client_id,
    sender_batch_id: made.sender_batch_id,
    email_subject: made.email_subject,
    email_message: made.email_message,
    request_id: requestId,
    status: "PENDING",
    created_at: world.now(),
    completed_at: null,
    items: [],
  };
  world.data.batches[batch.payout_batch_id] = batch;
  for (const given of made.items) {
    const item: ItemRecord = {
      ...given,
      payout_item_id: world.newId(13),
      payout_batch_id: batch.payout_batch_id,
      transaction_id: world.newId(17),
      activity_id: world.newId(17),
      status: "PENDING",
      error: null,
      processed_at: null,
    };
    world.data.items[item.payout_item_id] = item;
    batch.items.push(item.payout_item_id);
    world.move(app, item.amount.currency, -(unitsOf(item.amount) ?? 0));
  }
  return batch;
}

/** PayPal-Request-Id is kept and says nothing: at PayPal a new sender_batch_id is a new payment whatever it is. */
export const createPayout: Handler = (call, world) => {
  const app = callerOf(call, world, PAYOUTS_SCOPE);
  if (!(call.contentType ?? "").startsWith("application/json")) throw wrongMediaType();
  const made = readCreation(call.text);
  const checks = [refuseRepeated, refuseUnfunded];
  for (const check of call.fundsFirst ? checks.reverse() : checks) check(world, app, made);
  const batch = create(world, app, made, call.paypalRequestId);
  const header = renderHeader(world, batch);
  const { payout_batch_id, batch_status, time_created, sender_batch_header } = header;
  return json(
    {
      batch_header: { payout_batch_id, batch_status, time_created, sender_batch_header },
      links: [batchLink(batch)],
    },
    201,
  );
};

export const getBatch: Handler = (call, world) => {
  const app = callerOf(call, world, PAYOUTS_SCOPE);
  const batch = world.data.batches[call.ids[0] ?? ""];
  if (batch === undefined || batch.client_id !== app.client_id) throw notFound();
  const size = Number(call.query["page_size"] ?? 1000);
  const page = Number(call.query["page"] ?? 1);
  const items = world.itemsOf(batch);
  const pages = Math.ceil(items.length / size);
  return json({
    ...(call.query["total_required"] === "true" ? { total_items: items.length, total_pages: pages } : {}),
    batch_header: renderHeader(world, batch),
    items: items.slice((page - 1) * size, page * size).map(renderItem),
    links: [batchLink(batch)],
  });
};

const ownItem = (world: World, app: AppRecord, id: string): ItemRecord => {
  const item = world.data.items[id];
  if (item === undefined || world.batchOf(item).client_id !== app.client_id) throw notFound();
  return item;
};

export const getItem: Handler = (call, world) => {
  const item = ownItem(world, callerOf(call, world, PAYOUTS_SCOPE), call.ids[0] ?? "");
  return json(renderOneItem(world.batchOf(item), item));
};

export const cancelItem: Handler = (call, world) => {
  const item = ownItem(world, callerOf(call, world, PAYOUTS_SCOPE), call.ids[0] ?? "");
  if (item.status === "RETURNED") {
    const message = "This payout request has already been cancelled.";
    throw new PayPalFailure(400, { name: "ITEM_ALREADY_CANCELLED", message, links: [] });
  }
  if (item.status !== "UNCLAIMED") {
    const message = "You can only cancel items that are unclaimed.";
    throw new PayPalFailure(400, { name: "ITEM_INCORRECT_STATUS", message, links: [] });
  }
  changeItem(world, item, "RETURNED", item.error, true);
  return json(renderOneItem(world.batchOf(item), item));
};
