// Sends one event once more, on request, whatever became of it before.
import type { Ctx } from "../context.ts";
import { type EventId, placeOfEvent } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { EndpointId } from "../domain/webhooks/endpoint.ts";
import { type Delivery, makeDueAgain } from "../store/deliveries.ts";
import { findEvent } from "../store/events.ts";
import { endpointOff, requireEndpoint } from "./require-webhook-endpoint.ts";

const eventMissing = (): Refused =>
  new Refused(refuse("event_not_found", "No such event in this program.").refusal);

/** To the endpoint that is named, or to all that subscribe to its type. */
export const redeliverEvent = async (
  ctx: Ctx,
  eventId: EventId,
  endpointId: EndpointId | null,
): Promise<readonly Delivery[]> => {
  const programId = ctx.program.id;
  const place = placeOfEvent(eventId);
  const event =
    place?.programId === programId ? await findEvent(ctx.db, programId, place.position) : undefined;
  if (event === undefined) throw eventMissing();
  if (endpointId !== null && !(await requireEndpoint(ctx, endpointId)).isActive) throw endpointOff();
  const made = await makeDueAgain(ctx.db, { ...event, programId }, endpointId, ctx.realNow());
  if (made.length === 0) {
    const detail = `No active endpoint of this program subscribes to ${event.type}.`;
    throw new Refused(refuse("invalid_state", detail).refusal);
  }
  await ctx.deliveries.send({ kind: "fan_out", programId });
  return made;
};
