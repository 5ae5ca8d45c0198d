// Ways of being paid, each with two destinations and with what says where the money of a payout went.
import { PayPalSimulator } from "../simulators/paypal.ts";
import { rowsOf } from "./books.ts";
import {
  bankAffiliate,
  DUTCH_IBAN,
  download,
  GERMAN_IBAN,
  makeFile,
  pain,
  useBank,
} from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { type Loose, openWorld, unique, type World } from "./world.ts";

/** One way of being paid: two destinations, and where a payout went. */
export interface Method {
  readonly name: "stripe" | "paypal" | "bank_transfer";
  open(policy?: Record<string, unknown>): Promise<Opened>;
}

export interface Opened {
  readonly world: World;
  readonly affiliateId: string;
  readonly payout: Loose;
  /** Names the first or the second destination. */
  choose(n: 1 | 2): Promise<Loose>;
  /** Which of the two the payout's money was sent to, so far. */
  went(): Promise<readonly number[]>;
}

const dueTo = async (world: World, affiliateId: string): Promise<Loose> => {
  await world.sale(affiliateId, 1_000, { currency: "EUR" });
  const [payout] = (await world.generate()).payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  return payout;
};

export const methodPath = (id: string): string => `/v1/affiliates/${id}/payout-method`;

const placesOf = (found: readonly unknown[], ...known: readonly string[]): number[] =>
  found.map((one) => known.indexOf(String(one)) + 1);

export const stripe: Method = {
  name: "stripe",
  async open(policy = {}) {
    const world = await openWorld(policy);
    const { id: affiliateId, account: first } = await world.stripeAffiliate();
    const second = String(world.stripe.seedAccount({}).id);
    const payout = await dueTo(world, affiliateId);
    return {
      world,
      affiliateId,
      payout,
      choose: (n) =>
        world.ok("PUT", methodPath(affiliateId), {
          payout_method: "stripe",
          stripe_account_id: n === 1 ? first : second,
        }),
      async went() {
        const transfers = world.stripe.transfers(payout.id);
        return placesOf(
          transfers.map(({ destination }) => destination),
          first,
          second,
        );
      },
    };
  },
};

const openPayPal = async (
  policy: Record<string, unknown>,
): Promise<{ world: World; paypal: PayPalSimulator }> => {
  const world = await openWorld(policy);
  const paypal = new PayPalSimulator({ now: world.now });
  const edge = seams.ports;
  seams.ports = (ports) => {
    const made = edge(ports);
    return {
      ...made,
      http: (request) => (request.url.includes("paypal.com") ? paypal.fetch(request) : made.http(request)),
    };
  };
  const secrets = { client_id: `app-${world.program.id}`, client_secret: "s3cret" };
  await world.ok("PUT", "/v1/program/credentials/paypal", secrets);
  return { world, paypal };
};

export const paypalMethod: Method = {
  name: "paypal",
  async open(policy = {}) {
    const { world, paypal } = await openPayPal(policy);
    const affiliateId = await world.affiliate();
    const emails = [`${unique("one")}@example.com`, `${unique("two")}@example.com`] as const;
    const choose = (n: 1 | 2): Promise<Loose> =>
      world.ok("PUT", methodPath(affiliateId), { payout_method: "paypal", paypal_email: emails[n - 1] });
    await choose(1);
    const payout = await dueTo(world, affiliateId);
    return {
      world,
      affiliateId,
      payout,
      choose,
      async went() {
        return placesOf(
          paypal.items().map(({ payout_item }) => payout_item.receiver),
          ...emails,
        );
      },
    };
  },
};

/** By bank nothing is sent from here: what went is what a file says. */
export const bank: Method = {
  name: "bank_transfer",
  async open(policy = {}) {
    const world = await openWorld(policy);
    const affiliateId = await bankAffiliate(world);
    const payout = await dueTo(world, affiliateId);
    const ibans = [GERMAN_IBAN, DUTCH_IBAN] as const;
    return {
      world,
      affiliateId,
      payout,
      choose: async (n) =>
        (await useBank(world, affiliateId, {
          iban: ibans[n - 1],
          swift: n === 1 ? "COBADEFFXXX" : "ABNANL2A",
        })) as Loose,
      async went() {
        const sql = "SELECT count(*) AS n FROM attempts WHERE payout_id = ?1";
        const [attempts] = await rowsOf<{ n: number }>(sql, payout.id);
        if (attempts?.n === 0) return [];
        const file = await makeFile(world, pain([payout.id]));
        const text = await (await download(world, file.id)).text();
        return placesOf(
          ibans.filter((iban) => text.includes(`<IBAN>${iban}</IBAN>`)),
          ...ibans,
        );
      },
    };
  },
};
