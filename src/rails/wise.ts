import type { WiseSecrets } from "../domain/credentials.ts";
import type { PayoutRail, RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface WiseRailPorts {
  readonly http: Http;
  /** Empty: Wise's own address for the program's mode. */
  readonly apiBase: string;
  now(): number;
  /** The program's present credentials, or undefined. */
  secretOf(program: RailProgram): Promise<(WiseSecrets & { readonly account: string }) | undefined>;
}

const notYet = async (): Promise<never> => {
  throw new Error("to be written");
};

export const wiseRail = (_ports: WiseRailPorts): PayoutRail => ({
  method: "wise",
  resendWindowMs: 0,
  freeze: notYet,
  send: notYet,
  find: notYet,
});
