// Asks PayPal whose a client id and secret are, and whether they may send payouts.
import type { PayPalSecrets } from "../domain/credentials.ts";
import { type Refusal, refuse } from "../domain/refusals.ts";
import { askToken } from "./paypal-client.ts";
import { addressOf } from "./paypal-http.ts";
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

export interface PayPalAccountPorts {
  readonly http: Http;
  readonly apiBase: string;
}

const PAYOUTS_SCOPE = "https://uri.paypal.com/payments/payouts";

/**
 * The account is the client id: PayPal tells the payer's id only to apps with the openid scope, and `app_id` is the same
 * for every sandbox app. So another app of the same PayPal account counts as another account: it is refused while
 * payments through the first are under way. Throws where PayPal cannot be asked.
 */
export const accountOfPayPal = async (
  ports: PayPalAccountPorts,
  program: RailProgram,
  secrets: PayPalSecrets,
): Promise<string | { readonly refusal: Refusal }> => {
  const address = addressOf(ports.apiBase, program.mode);
  if (address === undefined) {
    return refuse(
      "credentials_refused",
      "PAYPAL_API_BASE is not for this program's mode: live secrets go to PayPal's own address only.",
      { pointer: "/client_secret" },
    );
  }
  const grant = await askToken(ports.http, address, secrets);
  if (grant.kind === "unsent") {
    if (!grant.isRefused) throw new Error(grant.detail);
    return refuse(
      "credentials_refused",
      `PayPal refuses this client id and secret for ${program.mode} payments; both must be of one app in ${program.mode === "live" ? "live" : "sandbox"} mode.`,
      { pointer: "/client_secret" },
    );
  }
  if (!grant.scope.split(" ").includes(PAYOUTS_SCOPE)) {
    return refuse(
      "credentials_refused",
      `PayPal has not approved this app for Payouts: switch Payouts on for the app, or ask PayPal to approve the account for it (scope ${PAYOUTS_SCOPE}), then store the credentials again.`,
      { pointer: "/client_id" },
    );
  }
  return secrets.clientId;
};
