// Stripe's own messages: signed with one of the program's secrets, fresh, of the program's mode; what they say is only what to ask about.
import Stripe from "stripe";
import { liveWebhookSecrets, type StripeSecrets } from "../domain/credentials.ts";
import { isId } from "../domain/ids.ts";
import type { InboundSource, ProviderSubject, RailProgram } from "./rail.ts";

export interface StripeInboundPorts {
  now(): number;
  secretOf(program: RailProgram): Promise<StripeSecrets | undefined>;
}

const TOO_OLD_S = 300;
/** The SDK takes any stamp of the future; clocks differ by less. */
const TOO_EARLY_S = 60;
const HEADER_MAX = 2_000;
const BODY_MAX = 262_144;

const STAMP = /^t=([1-9]\d{8,10})$/;
const SIGNATURE = /^v1=[0-9a-f]{64}$/;

/** Any of these may have signed: two endpoints, each with a secret and, while it is changed over, the one before. */
const candidatesOf = (secrets: StripeSecrets, now: number): readonly string[] => {
  const { platform, connect } = liveWebhookSecrets(secrets, now);
  return [...platform, ...connect];
};

/** Exactly one stamp and at least one signature: which of two stamps was signed would be a reader's choice. */
const isWellFormed = (header: string, nowS: number): boolean => {
  if (header.length > HEADER_MAX) return false;
  const items = header.split(",");
  const stamps = items.filter((item) => item.split("=")[0]?.trim() === "t");
  const stamp = STAMP.exec(stamps[0] ?? "")?.[1];
  if (stamps.length !== 1 || stamp === undefined || !items.some((item) => SIGNATURE.test(item))) return false;
  const age = nowS - Number(stamp);
  return age <= TOO_OLD_S && age >= -TOO_EARLY_S;
};

const verified = async (
  message: { readonly header: string; readonly rawBody: string },
  secrets: readonly string[],
  now: number,
): Promise<unknown> => {
  const provider = Stripe.createSubtleCryptoProvider();
  for (const secret of secrets) {
    try {
      const { header, rawBody } = message;
      return await Stripe.webhooks.constructEventAsync(rawBody, header, secret, TOO_OLD_S, provider, now);
    } catch (error) {
      // Signed with another secret, or signed and no event: both are nothing to believe.
      if (!(error instanceof Error)) throw error;
    }
  }
  return undefined;
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectAt = (value: unknown, name: string): Json => {
  const member = isObject(value) ? value[name] : undefined;
  return isObject(member) ? member : {};
};

const idOf = (prefix: "acct" | "evt" | "tr", value: unknown): string | undefined =>
  typeof value === "string" && value.startsWith(`${prefix}_`) && value.length <= 255 ? value : undefined;

/** A transfer names its payout in its metadata and as its group; the second cannot be edited. */
const ofTransfer = (transfer: Json): ProviderSubject[] => {
  const names = [transfer["transfer_group"], objectAt(transfer, "metadata")["payout_id"]];
  const payoutId = names.find((name) => typeof name === "string" && isId("po", name));
  const ref = idOf("tr", transfer["id"]);
  return [
    ...(typeof payoutId === "string" ? [{ kind: "payout", payoutId } as const] : []),
    ...(ref === undefined ? [] : [{ kind: "provider_ref", ref } as const]),
  ];
};

const ofAccount = (event: Json, object: Json): ProviderSubject[] => {
  const own = object["object"] === "account" ? object["id"] : object["account"];
  const account = idOf("acct", event["account"] ?? own);
  return account === undefined ? [] : [{ kind: "account", account }];
};

const subjectsOf = (event: Json): ProviderSubject[] => {
  const type = String(event["type"]);
  const object = objectAt(event["data"], "object");
  if (/^transfer\.(?:created|updated|reversed)$/.test(type)) return ofTransfer(object);
  if (/^(?:account\.updated|capability\.updated|account\.external_account\..+)$/.test(type))
    return ofAccount(event, object);
  // Its object is the application; only the event itself names the account.
  const account = idOf("acct", event["account"]);
  if (type === "account.application.deauthorized" && account !== undefined)
    return [{ kind: "deauthorized", account }];
  return [];
};

export const stripeInbound = (ports: StripeInboundPorts): InboundSource => ({
  async read(program, { headers, rawBody }) {
    const header = headers.get("stripe-signature") ?? "";
    const now = ports.now();
    if (rawBody.length > BODY_MAX || !isWellFormed(header, Math.floor(now / 1000))) return undefined;
    const secrets = await ports.secretOf(program);
    if (secrets === undefined) return undefined;
    const event = await verified({ header, rawBody }, candidatesOf(secrets, now), now);
    if (!isObject(event) || event["object"] !== "event") return undefined;
    const id = idOf("evt", event["id"]);
    // A live endpoint for connected accounts is sent their test events too.
    if (id === undefined || event["livemode"] !== (program.mode === "live")) return undefined;
    return { id, subjects: subjectsOf(event) };
  },
});
