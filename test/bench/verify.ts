// Whether the books that were measured are right: speed on wrong books is worth nothing.
import type { Report } from "./report.ts";
import type { Shop } from "./shop.ts";

export const verifyBooks = async (report: Report, shop: Shop, what: string): Promise<void> => {
  const began = performance.now();
  const answer = await shop.http.send({ method: "GET", path: "/v1/ledger/verify" });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (answer.status === 404) {
    report.show(`ledger verify, ${what}`, "the route is not there");
    return;
  }
  const verdict = JSON.parse(answer.text) as { ok?: boolean };
  report.check(
    `ledger verify, ${what}`,
    `${verdict.ok === true ? "ok" : "not ok"} in ${seconds} s`,
    "ok",
    verdict.ok === true,
  );
  if (verdict.ok !== true)
    report.note(`\nledger verify, ${what}: ${answer.status} ${answer.text.slice(0, 1500)}`);
};
