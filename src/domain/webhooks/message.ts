// What is sent: the event as the feed shows it, byte for byte the same on every attempt, and the text that is signed.
import { toInstant } from "../dates.ts";
import type { Actor, EventData } from "../events.ts";
import type { EndpointId } from "./endpoint.ts";

/** Sent by `test` alone, to one endpoint whatever it subscribes to; it never stands in the feed. */
export const TEST_TYPE = "webhook_endpoint.test";

export interface Message {
  readonly id: string;
  readonly type: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly sequence: number | null;
  readonly position: number;
  readonly livemode: boolean;
  readonly actor: Actor;
  readonly data: EventData;
}

/** One text per event: the members in this order, no spaces. */
export const bodyOf = ({ id, type, at, sequence, position, livemode, actor, data }: Message): string =>
  JSON.stringify({
    id,
    type,
    timestamp: toInstant(at),
    sequence,
    position,
    livemode,
    actor: { type: actor.type, id: actor.id },
    data,
  });

/** Positions of the feed start at 1, so that 0 says: nowhere in it. */
export const testMessage = (
  id: string,
  endpoint: { readonly id: EndpointId; readonly isActive: boolean },
  of: { readonly at: number; readonly livemode: boolean; readonly actor: Actor },
): Message => ({
  id,
  type: TEST_TYPE,
  at: of.at,
  sequence: null,
  position: 0,
  livemode: of.livemode,
  actor: of.actor,
  data: {
    object: "webhook_endpoint",
    id: endpoint.id,
    status: endpoint.isActive ? "active" : "disabled",
  },
});

/** Standard Webhooks 1.0.0: what the MAC is over; `seconds` is the time of the attempt. */
export const signedText = (id: string, seconds: number, body: string): string => `${id}.${seconds}.${body}`;
