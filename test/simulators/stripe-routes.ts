// Which handler serves which method and path of the simulated API.

import {
  createAccount,
  createAccountLink,
  createLoginLink,
  getAccount,
  getCapability,
  listAccounts,
  updateAccount,
} from "./stripe-accounts.ts";
import { getBalance, getPayout, getTransaction, listPayouts, listTransactions } from "./stripe-balances.ts";
import { getEvent, listEvents } from "./stripe-events.ts";
import { createReversal, getReversal, listReversals, updateReversal } from "./stripe-reversals.ts";
import { createTransfer, getTransfer, listTransfers, updateTransfer } from "./stripe-transfers.ts";
import type { Handler } from "./stripe-world.ts";

const ROUTES: Record<string, Handler> = {
  "GET /v1/account": getAccount,
  "GET /v1/accounts": listAccounts,
  "POST /v1/accounts": createAccount,
  "GET /v1/accounts/{id}": getAccount,
  "POST /v1/accounts/{id}": updateAccount,
  "GET /v1/accounts/{id}/capabilities/{id}": getCapability,
  "POST /v1/accounts/{id}/login_links": createLoginLink,
  "POST /v1/account_links": createAccountLink,
  "GET /v1/transfers": listTransfers,
  "POST /v1/transfers": createTransfer,
  "GET /v1/transfers/{id}": getTransfer,
  "POST /v1/transfers/{id}": updateTransfer,
  "GET /v1/transfers/{id}/reversals": listReversals,
  "POST /v1/transfers/{id}/reversals": createReversal,
  "GET /v1/transfers/{id}/reversals/{id}": getReversal,
  "POST /v1/transfers/{id}/reversals/{id}": updateReversal,
  "GET /v1/balance": getBalance,
  "GET /v1/balance_transactions": listTransactions,
  "GET /v1/balance_transactions/{id}": getTransaction,
  "GET /v1/payouts": listPayouts,
  "GET /v1/payouts/{id}": getPayout,
  "GET /v1/events": listEvents,
  "GET /v1/events/{id}": getEvent,
};

const TABLE = Object.keys(ROUTES).map((route) => ({ route, segments: route.split(/[ /]/) }));

export type Found = { route: string; ids: string[] };

/** The route that serves this request, as `GET /v1/transfers/{id}`, and the ids in its path. */
export function routeOf(method: string, path: string): Found | null {
  const given = `${method} ${path}`.split(/[ /]/);
  for (const { route, segments } of TABLE) {
    const fits =
      segments.length === given.length &&
      segments.every((segment, at) => (segment === "{id}" ? given[at] !== "" : segment === given[at]));
    if (!fits) continue;
    const ids = given.filter((_, at) => segments[at] === "{id}");
    return { route, ids };
  }
  return null;
}

export function handlerOf(route: string): Handler {
  const handler = ROUTES[route];
  if (handler === undefined) throw new Error(`no handler for ${route}`);
  return handler;
}
