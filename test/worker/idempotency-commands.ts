// Every single-turn command of the wire: how to come to it, the call, and how things go on after it.
import { runInDurableObject } from "cloudflare:test";
import { generate, payoutOfDue } from "./generated.ts";
import { bindings, type Loose, type World } from "./world.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  /** The same command with another body; undefined where there is only one body. */
  readonly other?: object;
}

export interface Command {
  readonly call: Call;
  /** Whatever is possible next, so that the object no longer is as the call left it. */
  moveOn(answer: Loose): Promise<unknown>;
}

type Come = (world: World) => Promise<Command>;

const post = (path: string, body?: object, other?: object): Call => ({
  method: "POST",
  path,
  ...(body === undefined ? {} : { body }),
  ...(other === undefined ? {} : { other }),
});

/** As long as the provider remembers a key, nobody can say that nothing happened. */
const WINDOW_MS = 24 * 3_600_000;

const because = { reason: "because" };

const commission = async (world: World, status: "pending" | "approved"): Promise<string> =>
  `/v1/commissions/${(await world.sale(await world.affiliate(), 1_000, { status })).id}`;

const payout = async (world: World): Promise<string> => {
  await world.sale(await world.affiliate(), 1_000);
  return `/v1/payouts/${(await payoutOfDue(world)).id}`;
};

const stripePayout = async (world: World): Promise<string> => {
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  return `/v1/payouts/${(await payoutOfDue(world)).id}`;
};

const paidWhere = async (world: World, path: string, balance: number): Promise<void> => {
  world.stripe.setBalance({ currency: "usd", amount: balance });
  await world.ok("POST", `${path}/pay`, {}, { prefer: "wait=10" });
  world.stripe.setBalance({ currency: "usd", amount: 1_000_000 });
};

const doing =
  (world: World, path: string, body: object = {}) =>
  (): Promise<unknown> =>
    world.ok("POST", path, body);

const record: Come = async (world) => {
  const sale = {
    affiliate_id: await world.affiliate(),
    external_id: "order-k",
    amount: 1_000,
    currency: "USD",
    occurred_at: "2026-10-30T12:00:00Z",
  };
  return {
    call: post("/v1/commissions", sale, { ...sale, amount: 2_000 }),
    moveOn: ({ id }) => world.ok("POST", `/v1/commissions/${id}/approve`),
  };
};

const credit: Come = async (world) => {
  const gift = { amount: 500, currency: "USD", note: "thank you" };
  const call = post(`/v1/affiliates/${await world.affiliate()}/credits`, gift, { ...gift, amount: 600 });
  return { call, moveOn: ({ id }) => world.ok("POST", `/v1/commissions/${id}/reverse`, because) };
};

/** A verb on a commission that waits, or is approved, and the verb that undoes it. */
const review =
  (verb: string, status: "pending" | "approved", undo: readonly [string, object?], body?: object): Come =>
  async (world) => {
    const path = await commission(world, status);
    if (verb === "release") await world.ok("POST", `${path}/hold`, because);
    const other = body === undefined ? undefined : { ...body, reason: "another" };
    return {
      call: post(`${path}/${verb}`, body, other),
      moveOn: doing(world, `${path}/${undo[0]}`, undo[1]),
    };
  };

const reject: Come = async (world) => {
  const path = await commission(world, "approved");
  const moveOn = () => world.ok("PATCH", "/v1/program", { hold_days: 9 });
  return { call: post(`${path}/reject`, because, { reason: "another" }), moveOn };
};

const reverse: Come = async (world) => {
  const path = `${await commission(world, "approved")}/reverse`;
  const part = { ...because, amount: 100 };
  return { call: post(path, part, { ...part, amount: 200 }), moveOn: doing(world, path, part) };
};

const create: Come = async (world) => {
  const affiliate_id = await world.affiliate();
  const chosen = {
    affiliate_id,
    currency: "USD",
    commission_ids: [(await world.sale(affiliate_id, 1_000)).id],
  };
  return {
    call: post("/v1/payouts", chosen, { ...chosen, admin_note: "another" }),
    moveOn: ({ id }) => world.ok("POST", `/v1/payouts/${id}/mark-paid`, {}),
  };
};

/** A verb on a fresh payout, after other verbs, and what comes next. */
const verb =
  (
    name: string,
    before: readonly string[],
    next: readonly [string, object?],
    body?: object,
    other?: object,
  ): Come =>
  async (world) => {
    const path = await payout(world);
    for (const earlier of before) await world.ok("POST", `${path}/${earlier}`, {});
    return {
      call: post(`${path}/${name}`, body, other),
      moveOn: doing(world, `${path}/${next[0]}`, next[1]),
    };
  };

const annotate: Come = async (world) => {
  const path = await payout(world);
  const call = { method: "PATCH", path, body: { admin_note: "one" }, other: { admin_note: "two" } };
  return { call, moveOn: () => world.ok("PATCH", path, { admin_note: "three" }) };
};

/** A verb on what an affiliate asked for. */
const answer =
  (name: "accept" | "deny", next: string, body?: object, other?: object): Come =>
  async (world) => {
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    const requested = await world.ok("POST", `/v1/affiliates/${id}/payout-requests`);
    const path = `/v1/payouts/${requested.id}`;
    return { call: post(`${path}/${name}`, body, other), moveOn: doing(world, `${path}/${next}`) };
  };

const retry: Come = async (world) => {
  const path = await stripePayout(world);
  await paidWhere(world, path, 0);
  return { call: post(`${path}/retry`), moveOn: () => paidWhere(world, path, 1_000_000) };
};

const pay: Come = async (world) => {
  const path = await stripePayout(world);
  return { call: post(`${path}/pay`), moveOn: () => world.drain() };
};

const markFailed: Come = async (world) => {
  const path = await payout(world);
  await world.ok("POST", `${path}/pay`);
  await world.deliver();
  const call = post(`${path}/mark-failed`, because, { reason: "another" });
  return { call, moveOn: doing(world, `${path}/retry`) };
};

const resolve: Come = async (world) => {
  const path = await stripePayout(world);
  world.stripe.addFault({ fault: "drop_before_work", times: 99 });
  await world.ok("POST", `${path}/pay`);
  await world.deliver();
  world.advance(WINDOW_MS);
  const refused = { outcome: "refused", evidence: "not in the dashboard" };
  const moveOn = doing(world, `${path}/retry`);
  return { call: post(`${path}/resolve`, refused, { ...refused, evidence: "another" }), moveOn };
};

const settleRecovery: Come = async (world) => {
  const affiliate = await world.affiliate();
  const sale = await world.sale(affiliate, 1_000);
  await world.ok("POST", `/v1/payouts/${(await payoutOfDue(world)).id}/mark-paid`, {});
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, because);
  const path = `/v1/affiliates/${affiliate}/recovery`;
  const part = { amount: 100, currency: "USD", kind: "repaid", note: "in cash" };
  return { call: post(path, part, { ...part, amount: 200 }), moveOn: doing(world, path, part) };
};

const confirmBook: Come = async (world) => {
  const { id } = await world.stripeAffiliate();
  const stub = bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${id}`);
  await runInDurableObject(stub, (_, state) =>
    state.storage.put("begun", { seq: 99, commandId: "s:begin:gone" }),
  );
  const path = `/v1/affiliates/${id}/confirm-book`;
  const moveOn = async () => [await world.sale(id, 10), await generate(world)];
  return { call: post(path, { evidence: "compared" }, { evidence: "another" }), moveOn };
};

export const COMMANDS: Readonly<Record<string, Come>> = {
  "POST /v1/commissions": record,
  "POST /v1/affiliates/{affiliate_id}/credits": credit,
  "POST /v1/affiliates/{affiliate_id}/recovery": settleRecovery,
  "POST /v1/commissions/{commission_id}/approve": review("approve", "pending", ["hold", because]),
  "POST /v1/commissions/{commission_id}/hold": review("hold", "approved", ["release"], because),
  "POST /v1/commissions/{commission_id}/release": review("release", "approved", ["hold", because]),
  "POST /v1/commissions/{commission_id}/reject": reject,
  "POST /v1/commissions/{commission_id}/reverse": reverse,
  "POST /v1/payouts": create,
  "PATCH /v1/payouts/{payout_id}": annotate,
  "POST /v1/payouts/{payout_id}/accept": answer("accept", "mark-paid"),
  "POST /v1/payouts/{payout_id}/deny": answer("deny", "reopen", because, { reason: "another" }),
  "POST /v1/payouts/{payout_id}/approve": verb("approve", [], ["mark-paid"]),
  "POST /v1/payouts/{payout_id}/withdraw-approval": verb("withdraw-approval", ["approve"], ["mark-paid"]),
  "POST /v1/payouts/{payout_id}/cancel": verb("cancel", [], ["reopen"], because, { reason: "another" }),
  "POST /v1/payouts/{payout_id}/reopen": verb("reopen", ["cancel"], ["mark-paid"]),
  "POST /v1/payouts/{payout_id}/mark-paid": verb(
    "mark-paid",
    [],
    ["return", because],
    { external_ref: "1" },
    { external_ref: "2" },
  ),
  "POST /v1/payouts/{payout_id}/return": verb(
    "return",
    ["mark-paid"],
    ["../../payouts/generate", { period_end: "2026-11-01" }],
    because,
    { reason: "another" },
  ),
  "POST /v1/payouts/{payout_id}/retry": retry,
  "POST /v1/payouts/{payout_id}/pay": pay,
  "POST /v1/payouts/{payout_id}/mark-failed": markFailed,
  "POST /v1/payouts/{payout_id}/resolve": resolve,
  "POST /v1/affiliates/{affiliate_id}/confirm-book": confirmBook,
};
