import type { WiseSecrets } from "../domain/credentials.ts";
import type { Refusal } from "../domain/refusals.ts";
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface WiseAccountPorts {
  readonly http: Http;
  readonly apiBase: string;
}

export const accountOfWise = async (
  _ports: WiseAccountPorts,
  _program: RailProgram,
  _secrets: WiseSecrets,
): Promise<string | { readonly refusal: Refusal }> => {
  throw new Error("to be written");
};
