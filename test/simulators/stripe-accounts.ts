// Connected accounts through the API: created, read, updated, and sent through onboarding links.

import {
  announceAccount,
  platformAccount,
  renderAccount,
  renderCapability,
} from "./stripe-account-object.ts";
import { currencyOf } from "./stripe-currencies.ts";
import { accountClosed, invalid, noAccess, notFound } from "./stripe-errors.ts";
import { booleanAt, integerAt, type Params, paramsAt, textAt } from "./stripe-form.ts";
import { checkList, inRange, page, RANGE } from "./stripe-lists.ts";
import { checkParams, mergeMetadata, type Rules } from "./stripe-params.ts";
import type { AccountRecord, Call, Handler, Platform, World } from "./stripe-world.ts";

const LINK_LIVES_S = 300;
const FIRST_DUE = ["business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"];

const SHARED_RULES: Rules = {
  account_token: "string",
  business_profile: "anything",
  business_type: ["company", "government_entity", "individual", "non_profit"],
  capabilities: "anything",
  company: "anything",
  default_currency: "text",
  documents: "anything",
  email: "string",
  expand: "expand",
  external_account: "anything",
  groups: "anything",
  individual: "anything",
  metadata: "metadata",
  settings: "anything",
  tos_acceptance: { date: "integer", ip: "string", service_agreement: "string", user_agent: "string" },
};

const CONTROLLER_RULES: Rules = {
  fees: { payer: ["account", "application"] },
  losses: { payments: ["application", "stripe"] },
  requirement_collection: ["application", "stripe"],
  stripe_dashboard: { type: ["express", "full", "none"] },
};

function checkAccount(params: Params, extra: Rules): void {
  checkParams(params, { ...SHARED_RULES, ...extra });
  for (const [name, asked] of Object.entries(paramsAt(params, "capabilities") ?? {})) {
    if (typeof asked === "string") throw invalid("Invalid object", undefined, `capabilities[${name}]`);
    checkParams(asked, { requested: "boolean" }, `capabilities[${name}]`);
  }
}

function controllerOf(params: Params): AccountRecord["controller"] {
  const given = paramsAt(params, "controller");
  if (given === null) return null;
  const word = (name: string, inner: string, usual: string) =>
    textAt(paramsAt(given, name) ?? {}, inner) ?? usual;
  const controller = {
    fees: word("fees", "payer", "account"),
    losses: word("losses", "payments", "stripe"),
    requirement_collection: textAt(given, "requirement_collection") ?? "stripe",
    dashboard: word("stripe_dashboard", "type", "full"),
  };
  if (controller.losses === "application" && controller.fees !== "application") {
    throw invalid(
      "When `controller[losses][payments]=application`, you must also set `controller[fees][payer]=application`.",
      undefined,
      "controller[fees][payer]",
    );
  }
  return controller;
}

const agreementOf = (params: Params): string | null =>
  textAt(paramsAt(params, "tos_acceptance") ?? {}, "service_agreement");

/**
 * Across a border a payee that takes no cards needs the recipient agreement; at home there is no such agreement, and
 * Stripe wants to have approved the platform. A recipient may not take cards.
 */
function checkAgreement(params: Params, country: string, platform: Platform): void {
  const home = platform.country ?? "US";
  const asked = paramsAt(params, "capabilities") ?? {};
  const wants = (name: string) => booleanAt(paramsAt(asked, name) ?? {}, "requested");
  const recipient = agreementOf(params) === "recipient";
  if (recipient && wants("card_payments")) {
    throw invalid(
      "Accounts under the recipient service agreement cannot request the `card_payments` capability.",
    );
  }
  if (recipient && country === home) {
    throw invalid(
      `The recipient ToS agreement is not supported for platforms in ${home} creating accounts in ${country}.`,
    );
  }
  if (recipient || !wants("transfers") || wants("card_payments")) return;
  if (country !== home) {
    throw invalid(
      `You cannot request the \`transfers\` capability without the \`card_payments\` capability for accounts in ${country}.`,
    );
  }
  if (platform.approved === false) {
    throw invalid(
      "Your platform needs approval for accounts to have requested the `transfers` capability without the `card_payments` capability.",
    );
  }
}

function request(account: AccountRecord, params: Params, world: World): void {
  for (const [name, asked] of Object.entries(paramsAt(params, "capabilities") ?? {})) {
    if (typeof asked === "string") continue;
    const requested = booleanAt(asked, "requested");
    const active =
      requested && (account.details_submitted || account.capabilities[name]?.status === "active");
    account.capabilities[name] = {
      requested,
      requested_at: requested ? world.seconds() : null,
      status: active ? "active" : "inactive",
    };
  }
}

export const createAccount: Handler = (call, world) => {
  const { params } = call;
  checkAccount(params, {
    controller: CONTROLLER_RULES,
    country: "text",
    type: ["custom", "express", "standard"],
  });
  if (params.controller !== undefined && params.type !== undefined) {
    throw invalid("You may not provide the `type` parameter and `controller` parameters simultaneously.");
  }
  const country = textAt(params, "country") ?? "US";
  if (!/^[A-Z]{2}$/.test(country)) throw invalid(`Country '${country}' is unknown.`, undefined, "country");
  const controller = controllerOf(params);
  checkAgreement(params, country, world.platformOf(call));
  return () => {
    const account: AccountRecord = {
      id: world.newId("acct", 16),
      platform: call.platform,
      country,
      currencies: null,
      default_currency: textAt(params, "default_currency") ?? currencyOf(country),
      email: textAt(params, "email"),
      business_type: textAt(params, "business_type"),
      capabilities: {},
      controller,
      type: controller === null ? (textAt(params, "type") ?? "standard") : "none",
      created: world.seconds(),
      details_submitted: false,
      payouts_enabled: false,
      currently_due: [...FIRST_DUE],
      past_due: [],
      disabled_reason: "requirements.past_due",
      service_agreement: agreementOf(params),
      tos_date: integerAt(paramsAt(params, "tos_acceptance") ?? {}, "date"),
      metadata: mergeMetadata({}, params.metadata),
      closed: false,
      available: {},
    };
    request(account, params, world);
    world.data.accounts[account.id] = account;
    announceAccount(world, account, call);
    return renderAccount(account);
  };
};

/** The account of the path, or the refusal of one that is not this platform's. */
function accountOf(call: Call, world: World): AccountRecord {
  const id = call.ids[0] ?? "";
  const account = world.account(id, call.platform);
  if (account === null) throw noAccess(id);
  return account;
}

export const getAccount: Handler = (call, world) => {
  checkParams(call.params, { expand: "expand" });
  return () => {
    const platform = world.platformOf(call);
    const own = call.ids[0] === undefined || call.ids[0] === platform.id;
    return own ? platformAccount(platform) : renderAccount(accountOf(call, world));
  };
};

export const updateAccount: Handler = (call, world) => {
  const { params } = call;
  checkAccount(params, {});
  return () => {
    const account = accountOf(call, world);
    if (params.email !== undefined) account.email = textAt(params, "email");
    account.business_type = textAt(params, "business_type") ?? account.business_type;
    account.default_currency = textAt(params, "default_currency") ?? account.default_currency;
    account.service_agreement = agreementOf(params) ?? account.service_agreement;
    account.metadata = mergeMetadata(account.metadata, params.metadata);
    request(account, params, world);
    announceAccount(world, account, call);
    return renderAccount(account);
  };
};

export const listAccounts: Handler = (call, world) => {
  checkList(call.params, { created: RANGE });
  return () => {
    const found = Object.values(world.data.accounts).filter(
      (account) =>
        account.platform === call.platform &&
        account.deauthorized !== true &&
        inRange(call.params, "created", account.created),
    );
    return page(found.map(renderAccount), call.params, "account", "/v1/accounts");
  };
};

export const getCapability: Handler = (call, world) => () => {
  const account = accountOf(call, world);
  const name = call.ids[1] ?? "";
  const capability = account.capabilities[name];
  if (capability === undefined) throw notFound("capability", name, "capability");
  return renderCapability(account, name, capability);
};

export const createAccountLink: Handler = (call, world) => {
  const { params } = call;
  checkParams(params, {
    account: "required string",
    type: ["account_onboarding", "account_update"],
    refresh_url: "required string",
    return_url: "required string",
    expand: "expand",
    collect: ["currently_due", "eventually_due"],
    collection_options: {
      fields: ["currently_due", "eventually_due"],
      future_requirements: ["include", "omit"],
    },
  });
  if (textAt(params, "type") === null)
    throw invalid("Missing required param: type.", "parameter_missing", "type");
  return () => {
    const id = textAt(params, "account") ?? "";
    const account = world.account(id, call.platform);
    if (account === null) throw notFound("account", id, "account", 400);
    if (account.closed) throw accountClosed(id);
    if (
      textAt(params, "type") === "account_update" &&
      account.controller?.requirement_collection !== "application"
    ) {
      throw invalid(
        "You cannot create `account_update` type Account Links for this account.",
        undefined,
        "type",
      );
    }
    const created = world.seconds();
    const token = world.newId("link");
    world.data.links[token] = {
      token,
      account: id,
      expires_at: created + LINK_LIVES_S,
      return_url: textAt(params, "return_url") ?? "",
      refresh_url: textAt(params, "refresh_url") ?? "",
    };
    const url = `${call.origin}/_sim/onboarding/${token}`;
    return { object: "account_link", created, expires_at: created + LINK_LIVES_S, url };
  };
};

export const createLoginLink: Handler = (call, world) => {
  checkParams(call.params, { expand: "expand" });
  return () => {
    const account = accountOf(call, world);
    const express = account.type === "express" || account.controller?.dashboard === "express";
    if (!express) throw invalid("You can only create login links for Express accounts.");
    if (!account.details_submitted) {
      throw invalid("Cannot create a login link for an account that has not completed onboarding.");
    }
    const url = `${call.origin}/_sim/dashboard/${account.id}/${world.newId("acclink", 12)}`;
    return { object: "login_link", created: world.seconds(), url };
  };
};
