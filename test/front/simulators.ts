// Starts the simulated providers that a Stipend of this machine pays through, each where and as it was left.
import { join } from "node:path";
import { startPayPalSimulator } from "../simulators/paypal-server.ts";
import { startStripeSimulator } from "../simulators/stripe-server.ts";
import { startWiseSimulator } from "../simulators/wise-server.ts";
import { preferPort } from "./ports.ts";
import { type Remembered, remember } from "./state-dir.ts";

export const PROVIDERS = ["stripe", "paypal", "wise"] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Addresses by provider; undefined where none is meant. */
export type ProviderBases = Readonly<Partial<Record<ProviderName, string | undefined>>>;

export interface Simulator {
  readonly url: string;
  close(): Promise<void>;
}

/** A transfer that was paid for is sent by Wise after this, in milliseconds. */
const WISE_COURSE_MS = 3_000;

type Start = (options: { port: number; statePath: string }) => Promise<Simulator>;

const STARTS: Readonly<Record<ProviderName, Start>> = {
  stripe: startStripeSimulator,
  paypal: startPayPalSimulator,
  wise: (options) => startWiseSimulator({ ...options, courseMs: WISE_COURSE_MS }),
};

const PORT_KEYS = {
  stripe: "simulator_port",
  paypal: "paypal_simulator_port",
  wise: "wise_simulator_port",
} as const satisfies Record<ProviderName, keyof Remembered>;

export async function startSimulator(
  provider: ProviderName,
  stateDir: string,
  remembered: Remembered,
): Promise<Simulator> {
  const port = await preferPort(remembered[PORT_KEYS[provider]]);
  const simulator = await STARTS[provider]({ port, statePath: join(stateDir, `${provider}-simulator.json`) });
  remember(stateDir, { [PORT_KEYS[provider]]: port });
  return simulator;
}
