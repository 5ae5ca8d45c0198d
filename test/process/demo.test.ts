// The demo: how it reads orders, and that it tells its whole story and ends well.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { planDemo } from "../front/demo-plan.ts";
import { parseCsv, readOrders } from "../front/orders-csv.ts";
import { projectRoot } from "../front/project.ts";

const directory = mkdtempSync(join(tmpdir(), "stipend-demo-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const head = "order_id,kind,ordered_at,customer_id,country,currency,total_minor";

function runDemo(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const command = [join(projectRoot, "test/front/demo.ts"), ...args];
    execFile(process.execPath, command, { cwd: projectRoot }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      });
    });
  });
}

describe("a file of orders", () => {
  test("may quote fields that hold commas, quotes and line breaks", () => {
    const text = '\uFEFFa,"b,""c""",d\r\n"line\nbreak",,\r\n\r\nlast,1,2';
    expect(parseCsv(text)).toEqual([
      ["a", 'b,"c"', "d"],
      ["line\nbreak", "", ""],
      ["last", "1", "2"],
    ]);
    expect(() => parseCsv('a,"b')).toThrow("inside a quoted field");
  });

  test("is read by the names of its columns, in the order of time, and what cannot be used is counted", () => {
    const text = [
      "kind,order_id,total_minor,ordered_at,customer_id,country,currency",
      "sale,2,500,2026-01-02T00:00:00Z,c1,France,EUR",
      "sale,1,700,2026-01-01T23:00:00-02:00,c1,France,EUR",
      "sale,3,0,2026-01-03T00:00:00Z,c1,France,EUR",
      "sale,4,100,2026-01-03T00:00:00Z,,France,EUR",
      "gift,5,100,2026-01-03T00:00:00Z,c1,France,EUR",
      "sale,6,1.5,2026-01-03T00:00:00Z,c1,France,EUR",
      "refund,7,-200,2026-01-04T00:00:00Z,c1,France,EUR",
    ].join("\n");
    const { orders, leftOut, rows } = readOrders(text);
    expect(rows).toBe(7);
    expect(orders.map(({ orderId, total }) => [orderId, total])).toEqual([
      ["2", 500],
      ["1", 700],
      ["7", 200],
    ]);
    expect(Object.fromEntries(leftOut)).toEqual({
      "total is 0": 1,
      "no customer": 1,
      "kind is neither sale nor refund": 1,
      unreadable: 1,
    });
    expect(() => readOrders("order_id,kind\n1,sale")).toThrow("no column ordered_at, customer_id");
  });

  test("gives a refund to the customer's latest earlier sale and caps it at what is left", () => {
    const rows = ["a,sale,1,50", "b,sale,2,80", "r1,refund,3,30", "r2,refund,4,70", "r3,refund,5,10"];
    const text = rows.map((row) => {
      const [id, kind, day, total] = row.split(",");
      return `${id},${kind},2026-01-0${day}T00:00:00Z,c1,France,EUR,${total}`;
    });
    const leftOut: string[] = [];
    const plan = planDemo(readOrders([head, ...text].join("\n")).orders, (reason) => leftOut.push(reason));
    const amounts = plan.second.refunds.map(({ refundId, saleId, amount }) => [refundId, saleId, amount]);
    expect(amounts).toEqual([
      ["r1", "b", 30],
      ["r2", "b", 50],
    ]);
    expect(leftOut).toEqual(["a refund of a sale of which nothing is left"]);
    expect(plan.madeUp).toBe(true);
    expect(plan.afterPaying).toMatchObject([{ saleId: "a", amount: 50 }]);
  });
});

describe("npm run demo", () => {
  test("pays the shipped orders, nets what was refunded after payment, and finds the books in order", async () => {
    const { code, stdout, stderr } = await runDemo([]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^ledger verify: ok/m);
    expect(stdout).toMatch(/^provider: \d+ transfers, one for each paid payout$/m);
    expect(stdout).toMatch(/^osprey +EUR .* paid +po_\w+ +tr_\w{24}$/m);
    expect(stdout).toMatch(/^osprey +USD +\d+\.\d\d +0\.00 +4\.95$/m);
    expect(stdout).toContain("no customer 1, total is 0 1, a refund without an earlier sale 1");
    expect(code).toBe(0);
  });

  test("takes a file of one's own and says what is wrong with one that is none", async () => {
    const own = join(directory, "own.csv");
    writeFileSync(own, `${head}\n1,sale,2026-01-01T00:00:00Z,c1,France,JPY,12000\n`);
    const { code, stdout } = await runDemo(["--orders", own]);
    expect(stdout).toMatch(/^c1 +JPY +1 +1,200 +0 +1,200 +paid +po_\w+ +tr_\w{24}$/m);
    expect(stdout).toMatch(/^ledger verify: ok/m);
    expect(code).toBe(0);
    const missing = await runDemo(["--orders", join(directory, "none.csv")]);
    expect(missing.stderr).toContain("none.csv");
    expect(missing.code).toBe(1);
  });
});
