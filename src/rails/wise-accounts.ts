// What Wise says of a token: whether the profile that a program names is one of its own.
import type { WiseSecrets } from "../domain/credentials.ts";
import { type Refusal, refuse } from "../domain/refusals.ts";
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";
import { errorsIn, fieldsOf, isOk, isWiseId, WISE_API_VERSION, wiseBase, wiseClient } from "./wise-client.ts";
import { importWiseKey } from "./wise-events.ts";

export interface WiseAccountPorts {
  readonly http: Http;
  readonly apiBase: string;
}

const refused = (detail: string, pointer: string): { readonly refusal: Refusal } =>
  refuse("credentials_refused", detail, { pointer });

/** The profile's id; only Wise judges the token. Throws where Wise cannot be asked. */
export const accountOfWise = async (
  ports: WiseAccountPorts,
  program: RailProgram,
  secrets: WiseSecrets,
): Promise<string | { readonly refusal: Refusal }> => {
  const base = wiseBase(program.mode, ports.apiBase);
  if (base === undefined) {
    return refused(
      "A live program uses Wise's own address only, and a test program never: WISE_API_BASE names another.",
      "/api_token",
    );
  }
  const { apiToken, profileId, webhookPublicKey } = secrets;
  if (webhookPublicKey !== null && (await importWiseKey(webhookPublicKey)) === undefined)
    return refused("This is no RSA public key in PEM, as Wise publishes its own.", "/webhook_public_key");
  const ask = wiseClient({ http: ports.http, base, token: apiToken, version: WISE_API_VERSION });
  const answer = await ask("GET", "/profiles");
  const says = answer.kind === "answer" && errorsIn(answer.body) !== undefined ? answer.status : undefined;
  if (says === 401 || says === 403) return refused("Wise refuses this API token.", "/api_token");
  if (!isOk(answer) || !Array.isArray(answer.body)) throw new Error("Wise's answer is no list of profiles");
  const ids = answer.body.map((profile) => fieldsOf(profile)["id"]).filter(isWiseId);
  return ids.map(String).includes(profileId)
    ? profileId
    : refused(
        "This token's Wise account has no such profile; its profiles are listed in Wise's settings.",
        "/profile_id",
      );
};
