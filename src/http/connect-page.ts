// The pages that an affiliate sees on the way to Stripe and back: words only, no script, nothing from elsewhere, nothing about a person.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "./env.ts";

export interface Page {
  readonly status: ContentfulStatusCode;
  readonly title: string;
  readonly text: string;
  /** Stripe's own names of what it waits for. */
  readonly names?: readonly string[];
  readonly link?: { readonly href: string; readonly text: string };
  readonly retryAfterS?: number;
}

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE =
  "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;color:#1a1a2e}" +
  "h1{font-size:1.5rem}a{color:#3b3bd6}li{overflow-wrap:anywhere}" +
  "@media(prefers-color-scheme:dark){body{background:#14141f;color:#eaeaf2}a{color:#a3a3ff}}";

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? "");

/** A list beyond this helps nobody. */
const NAMES_MAX = 50;

const htmlOf = ({ title, text, names = [], link }: Page): string => {
  const items = names.slice(0, NAMES_MAX).map((name) => `<li><code>${escapeHtml(name)}</code></li>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">',
    `<title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>`,
    `<body><main><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    items.length === 0 ? "" : `<ul>${items.join("")}</ul>`,
    link === undefined ? "" : `<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>`,
    "</main></body></html>\n",
  ].join("");
};

export const pageAnswer = (c: Context<AppEnv>, page: Page): Response =>
  c.html(htmlOf(page), page.status, {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    ...(page.retryAfterS === undefined ? {} : { "Retry-After": String(page.retryAfterS) }),
  });

/** One answer for a token that was cut, made up or tampered with: nothing says which. */
export const UNKNOWN_LINK: Page = {
  status: 404,
  title: "This link does not work",
  text: "It may have been cut off on its way to you. Open it again from the message that it came in, or ask whoever sent it for a new one.",
};

export const EXPIRED_LINK: Page = {
  status: 410,
  title: "This link has expired",
  text: "Ask whoever sent it to you for a new one. Nothing that you gave to Stripe is lost.",
};

export const MOVED: Page = {
  status: 410,
  title: "Your payouts go elsewhere now",
  text: "This link belongs to a Stripe account that you are no longer paid through. If you want to be paid through Stripe, ask whoever sent it to you for a new link.",
};

export const CLOSED: Page = {
  status: 409,
  title: "Stripe does not open this account",
  text: "Your Stripe account cannot be continued from here. Ask whoever sent you this link to look at it.",
};

/** Nothing was made for whoever only looks ahead; a person who follows the link comes again. */
export const NOT_YET: Page = {
  status: 503,
  title: "Open this link to go on",
  text: "It leads to Stripe when you open it.",
};

export const WAY_IN: Page = { status: 200, title: "Go on to Stripe", text: "This link leads to Stripe." };

export const READY: Page = {
  status: 200,
  title: "You can be paid",
  text: "Stripe has what it needs. You may close this page.",
};

/** The names are Stripe's; a way back to Stripe is offered as long as the link is good. */
export const notReady = (missing: readonly string[], href: string | undefined): Page => {
  const names = missing.filter((name) => name !== "capabilities.transfers");
  const waits = "Stripe is looking at what you gave. This can take a few minutes, sometimes days.";
  return {
    status: 200,
    title: "Not ready yet",
    text: names.length === 0 ? waits : "Before you can be paid, Stripe still needs:",
    names,
    ...(href === undefined ? {} : { link: { href, text: "Go on with Stripe" } }),
  };
};

export const TROUBLE: Page = {
  status: 500,
  title: "Something broke on our side",
  text: "It was noted. Try again later, or tell whoever sent you this link.",
};

export const BUSY: Page = {
  status: 503,
  title: "This does not work right now",
  text: "Open this link again in a minute.",
  retryAfterS: 10,
};
