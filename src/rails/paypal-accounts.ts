import type { PayPalSecrets } from "../domain/credentials.ts";
import type { Refusal } from "../domain/refusals.ts";
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface PayPalAccountPorts {
  readonly http: Http;
  readonly apiBase: string;
}

export const accountOfPayPal = async (
  _ports: PayPalAccountPorts,
  _program: RailProgram,
  _secrets: PayPalSecrets,
): Promise<string | { readonly refusal: Refusal }> => {
  throw new Error("to be written");
};
