// Speaks to the control routes of the Stripe simulator, from outside as anyone could.

export interface SimulatedTransfer {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly destination: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export class StripeControl {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }

  /** Makes a connected account that can be paid in every currency; resolves with its id. */
  async seedAccount(country = "US"): Promise<string> {
    const account = await this.#call<{ id: string }>("POST", "accounts", { country });
    return account.id;
  }

  /** Makes one request fail in the named way; without a match the next transfer that is created. */
  async addFault(order: { fault: string; times?: number; match?: object; delay_ms?: number }): Promise<void> {
    await this.#call("POST", "faults", order);
  }

  async transfers(): Promise<SimulatedTransfer[]> {
    return (await this.#call<{ data: SimulatedTransfer[] }>("GET", "transfers", undefined)).data;
  }

  /** How often each fault has struck. */
  async faultsFired(): Promise<Record<string, number>> {
    const state = await this.#call<{ faults: { fired: Record<string, number> } }>("GET", "state", undefined);
    return state.faults.fired;
  }

  async #call<T>(method: string, path: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`simulator: ${method} ${path} → ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }
}
