// Wise: one transfer per attempt, made from a frozen quote under one UUID, paid for from the profile's balance, and looked up by id or through the list.
import type { WiseSecrets } from "../domain/credentials.ts";
import { type Attempt, KEY_WINDOW_MS } from "../domain/payout.ts";
import { refuse } from "../domain/refusals.ts";
import type { PayoutRail, RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";
import { type AskWise, WISE_API_VERSION, wiseBase, wiseClient } from "./wise-client.ts";
import { findTransfer, quoteStanding, returnedTransfer } from "./wise-find.ts";
import { freezeTransfer } from "./wise-freeze.ts";
import { sendTransfer } from "./wise-send.ts";
import { unknown } from "./wise-transfer.ts";

export interface WiseRailPorts {
  readonly http: Http;
  /** Empty: Wise's own address for the program's mode. */
  readonly apiBase: string;
  now(): number;
  /** The program's present credentials, or undefined. */
  secretOf(program: RailProgram): Promise<(WiseSecrets & { readonly account: string }) | undefined>;
}

const OTHER_ACCOUNT = "the program's Wise credentials are for another profile, or not for this address";

const WRONG_ADDRESS =
  "A live program pays by Wise's own address only, and a test program never by it: see WISE_API_BASE.";

/**
 * How long Wise knows a UUID is not documented. A day with an hour of margin is enough: after 30 minutes the frozen
 * quote has expired and makes no transfer any more, and paying late for the one that exists cannot make another.
 */
const RESEND_WINDOW_MS = KEY_WINDOW_MS;

const freeze =
  (ports: WiseRailPorts): PayoutRail["freeze"] =>
  async (program, payout, affiliate, next) => {
    const base = wiseBase(program.mode, ports.apiBase);
    if (base === undefined) return refuse("rail_not_available", WRONG_ADDRESS);
    const secret = await ports.secretOf(program);
    if (secret === undefined) {
      return refuse(
        "credentials_missing",
        "The program has no Wise credentials: PUT /v1/program/credentials/wise.",
      );
    }
    const ask = wiseClient({
      http: ports.http,
      base,
      token: secret.apiToken,
      version: WISE_API_VERSION,
    });
    return freezeTransfer(ask, secret.account, payout, affiliate, next);
  };

export const wiseRail = (ports: WiseRailPorts): PayoutRail => {
  /** The client of the attempt's own profile and version, or undefined without one. */
  const clientFor = async (program: RailProgram, attempt: Attempt): Promise<AskWise | undefined> => {
    const base = wiseBase(program.mode, ports.apiBase);
    if (base === undefined) return undefined;
    const secret = await ports.secretOf(program);
    if (secret?.account !== attempt.providerAccount) return undefined;
    return wiseClient({ http: ports.http, base, token: secret.apiToken, version: attempt.apiVersion });
  };
  return {
    method: "wise",
    resendWindowMs: RESEND_WINDOW_MS,
    freeze: freeze(ports),
    async send(program, attempt) {
      const ask = await clientFor(program, attempt);
      return ask === undefined
        ? { kind: "deferred", detail: OTHER_ACCOUNT }
        : sendTransfer(ask, attempt, ports.now());
    },
    async find(program, attempt, ref) {
      const ask = await clientFor(program, attempt);
      return ask === undefined ? unknown(OTHER_ACCOUNT) : findTransfer(ask, attempt, ports.now(), ref);
    },
    async returned(program, attempt) {
      const ask = await clientFor(program, attempt);
      return ask === undefined ? undefined : returnedTransfer(ask, attempt);
    },
    async isAbsent(program, attempt) {
      const ask = await clientFor(program, attempt);
      return ask !== undefined && (await quoteStanding(ask, attempt, ports.now())) === "over";
    },
  };
};
