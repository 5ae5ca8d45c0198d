// What becomes of payout items as time passes: each takes a course, some come back, and every change is an event.

import { recordBatch, recordItem } from "./paypal-events.ts";
import {
  type BatchRecord,
  type CourseOrder,
  DAY_MS,
  type ItemRecord,
  type ItemStatus,
  unitsOf,
  type World,
} from "./paypal-world.ts";

type Course = { status: ItemStatus; error: string | null; denied?: boolean };

/** What may become of an item; a denied batch was not processed at all. */
export const COURSES: Record<string, Course> = {
  success: { status: "SUCCESS", error: null },
  unclaimed: { status: "UNCLAIMED", error: "RECEIVER_UNREGISTERED" },
  onhold: { status: "ONHOLD", error: "RECEIVER_ACCOUNT_LIMITATION" },
  pending: { status: "PENDING", error: "REGULATORY_PENDING" },
  blocked: { status: "BLOCKED", error: "REGULATORY_BLOCKED" },
  failed: { status: "FAILED", error: "RECEIVER_ACCOUNT_LOCKED" },
  denied: { status: "FAILED", error: "RISK_DECLINE", denied: true },
};

const GIVEN_BACK_AFTER_MS = 30 * DAY_MS;

/** PayPal gives the sender its money back in these; FAILED never took it. */
const WITH_THE_SENDER: readonly ItemStatus[] = ["FAILED", "RETURNED", "REFUNDED", "REVERSED"];

const fits = (order: CourseOrder, item: ItemRecord): boolean =>
  (order.times ?? 1) > 0 &&
  (order.receiver === undefined || order.receiver === item.receiver) &&
  (order.sender_item_id === undefined || order.sender_item_id === item.sender_item_id);

function courseOf(world: World, item: ItemRecord): Course {
  const order = world.data.courses.find((given) => fits(given, item));
  if (order?.times !== undefined) order.times -= 1;
  const course = COURSES[order?.course ?? "success"];
  if (course === undefined) throw new RangeError(`There is no course called ${order?.course}.`);
  return order?.error === undefined ? course : { ...course, error: order.error };
}

/** Changes an item as PayPal, its receiver or a person at PayPal would; money moves with it, and it is announced. */
export function changeItem(
  world: World,
  item: ItemRecord,
  status: ItemStatus,
  error: string | null,
  canceled = false,
): void {
  const isBack = (state: ItemStatus) => WITH_THE_SENDER.includes(state);
  const units = unitsOf(item.amount) ?? 0;
  const app = world.app(world.batchOf(item).client_id);
  if (isBack(status) && !isBack(item.status)) world.move(app, item.amount.currency, units);
  if (!isBack(status) && isBack(item.status)) world.move(app, item.amount.currency, -units);
  item.status = status;
  item.error = error;
  item.processed_at = world.now();
  recordItem(world, item, canceled);
}

function processBatch(world: World, batch: BatchRecord): void {
  const items = world.itemsOf(batch).map((item) => ({ item, course: courseOf(world, item) }));
  recordBatch(world, batch, "PROCESSING");
  for (const { item, course } of items) changeItem(world, item, course.status, course.error);
  batch.status = items.every(({ course }) => course.denied === true) ? "DENIED" : "SUCCESS";
  batch.completed_at = world.now();
  recordBatch(world, batch, batch.status);
}

/** Does what has fallen due since anybody looked. */
export function progress(world: World): void {
  const now = world.now();
  for (const batch of Object.values(world.data.batches)) {
    if (batch.status === "PENDING" && now >= batch.created_at + world.processMs) processBatch(world, batch);
  }
  for (const item of Object.values(world.data.items)) {
    const waits = item.status === "UNCLAIMED" || item.status === "ONHOLD";
    if (waits && now >= (item.processed_at ?? now) + GIVEN_BACK_AFTER_MS)
      changeItem(world, item, "RETURNED", item.error);
  }
}
