import type { PayPalSecrets } from "../domain/credentials.ts";
import type { PayoutRail, RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface PayPalRailPorts {
  readonly http: Http;
  /** Empty: PayPal's own address for the program's mode. */
  readonly apiBase: string;
  now(): number;
  /** The program's present credentials, or undefined. */
  secretOf(program: RailProgram): Promise<(PayPalSecrets & { readonly account: string }) | undefined>;
}

const notYet = async (): Promise<never> => {
  throw new Error("to be written");
};

export const paypalRail = (_ports: PayPalRailPorts): PayoutRail => ({
  method: "paypal",
  resendWindowMs: 0,
  freeze: notYet,
  send: notYet,
  find: notYet,
});
