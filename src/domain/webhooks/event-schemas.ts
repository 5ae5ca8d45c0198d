// The catalogue of what may be delivered: each type in a sentence, and the JSON Schema of its message, made from the list of types itself.
import { EVENT_TYPES, type EventData, type EventType } from "../events.ts";
import { TEST_TYPE } from "./message.ts";

type Noun = EventData["object"];
type Field = Exclude<keyof EventData, "object">;

interface Kind {
  readonly object: Noun;
  /** When it is sent. */
  readonly says: string;
}

const commission = (says: string): Kind => ({ object: "commission", says });
const payout = (says: string): Kind => ({ object: "payout", says });
const affiliate = (says: string): Kind => ({ object: "affiliate", says });

/** Exhaustive: a new type without a sentence does not compile. */
const KINDS: Readonly<Record<EventType, Kind>> = {
  "commission.created": commission("A commission, a bonus or a credit was recorded."),
  "commission.approved": commission("A commission was approved."),
  "commission.rejected": commission("A commission was rejected."),
  "commission.held": commission("A commission was put on hold."),
  "commission.released": commission("A commission's hold ended."),
  "commission.reversed": commission("Some or all of a commission was taken back; `amount` is how much."),
  "commission.paid": commission("The payout that holds the commission was paid."),
  "payout.requested": payout("An affiliate asked for a payout."),
  "payout.generated": payout("A payout was made and its commissions claimed."),
  "payout.updated": payout("A payout changed in some other way; `reason` says how."),
  "payout.approved": payout("A payout was approved."),
  "payout.processing": payout("The payment of a payout began."),
  "payout.paid": payout("A payout was paid."),
  "payout.failed": payout("A payment failed and its commissions were given back; `reason` says why."),
  "payout.cancelled": payout("A payout was cancelled or denied and its commissions were given back."),
  "payout.returned": payout("The money of a payout came back."),
  "payout.stalled": payout("A payment takes longer than expected; its money stays reserved."),
  "payout.paid_late": payout("A payment that was refused turned out to have paid: somebody should look."),
  "affiliate.created": affiliate("An affiliate was created."),
  "affiliate.updated": affiliate("An affiliate changed."),
  "affiliate.onboarded": affiliate("The affiliate's payout method became ready for the first time."),
  "affiliate.payout_method_changed": affiliate("The affiliate's payout method changed."),
  "recovery.changed": {
    object: "recovery",
    says: "What an affiliate owes back changed; `amount` is what is owed now.",
  },
  "run.completed": { object: "run", says: "A run of payouts came to its end." },
  "program.updated": { object: "program", says: "The program's policy or its credentials changed." },
  "api_key.created": { object: "api_key", says: "An API key was made." },
  "api_key.revoked": { object: "api_key", says: "An API key was revoked." },
  "webhook_endpoint.disabled": {
    object: "webhook_endpoint",
    says: "A webhook endpoint was switched off; `reason` says why.",
  },
};

const SURE: Readonly<Record<Noun, readonly Field[]>> = {
  commission: ["affiliate_id", "status", "amount", "currency"],
  payout: ["affiliate_id", "status", "amount", "currency"],
  affiliate: ["affiliate_id", "status"],
  recovery: ["affiliate_id", "amount", "currency"],
  run: ["run_id", "status", "previous_status"],
  program: [],
  api_key: ["status"],
  webhook_endpoint: ["status"],
};

export type JsonSchema = { readonly [keyword: string]: unknown };

const TEXT: JsonSchema = { type: "string" };

const FIELDS: Readonly<Record<Field, JsonSchema>> = {
  id: TEXT,
  affiliate_id: TEXT,
  payout_id: TEXT,
  run_id: TEXT,
  status: TEXT,
  previous_status: TEXT,
  amount: { type: "integer", minimum: 0, description: "Minor units of `currency`." },
  currency: { type: "string", pattern: "^[A-Z]{3}$", description: "ISO 4217." },
  reason: { type: "string", description: "An open list of words." },
};

const dataSchema = (object: Noun): JsonSchema => ({
  type: "object",
  required: ["object", "id", ...SURE[object]],
  properties: { object: { const: object }, ...FIELDS },
});

const ACTORS = ["key", "affiliate", "schedule", "provider"];

const messageSchema = (type: string, object: Noun): JsonSchema => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: type,
  type: "object",
  required: ["id", "type", "timestamp", "sequence", "position", "livemode", "actor", "data"],
  properties: {
    id: { type: "string", description: "Also the header `webhook-id`: the same on every attempt." },
    type: { const: type },
    timestamp: { type: "string", format: "date-time", description: "When it happened." },
    sequence: { type: ["integer", "null"], description: "Counts per affiliate; null on what is about none." },
    position: { type: "integer", minimum: 0, description: "The place in the feed; 0 on a test." },
    livemode: { type: "boolean" },
    actor: {
      type: "object",
      required: ["type", "id"],
      properties: { type: { enum: ACTORS }, id: TEXT },
    },
    data: dataSchema(object),
  },
});

export interface CataloguedType {
  readonly type: string;
  readonly description: string;
  /** Of the whole message; members may be added to it. */
  readonly schema: JsonSchema;
}

/** Every type of the feed in its order, and the test behind them. */
export const EVENT_CATALOGUE: readonly CataloguedType[] = [
  ...EVENT_TYPES.map((type) => ({
    type,
    description: KINDS[type].says,
    schema: messageSchema(type, KINDS[type].object),
  })),
  {
    type: TEST_TYPE,
    description: "Sent when a test is asked for, to that endpoint alone; it does not stand in the feed.",
    schema: messageSchema(TEST_TYPE, "webhook_endpoint"),
  },
];
