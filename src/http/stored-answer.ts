// Idempotency-Key on routes that are more than one turn: the first answer is kept and given again, and a request that died is taken up with the same ids.
import type { Context, MiddlewareHandler } from "hono";
import type { KeyedRequest } from "../context.ts";
import { mintBody } from "../domain/ids.ts";
import {
  type Claim,
  claimKey,
  forgetKey,
  type HeldKey,
  type KeptAnswer,
  type KeyPlace,
  keepAnswer,
  releaseKey,
} from "../store/idempotency.ts";
import { sealedPlace } from "../store/sealed.ts";
import type { AppEnv, AppPorts } from "./env.ts";
import { commandIdOf, requestShaOf } from "./idempotency.ts";
import { isFault, Problem } from "./problem.ts";

const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** Longer answers are not kept: the request runs again, with the same ids. */
const ANSWER_MAX_CHARS = 400_000;

const sealPlace = ({ owner, key }: KeyPlace): string => sealedPlace(owner, "idempotency_keys", key, "sealed");

const encoder = new TextEncoder();

/** The same key gives the same ids and the same secret, whoever takes the request up; nobody can tell them without the server's own key. */
const keyedOf = async (ports: AppPorts, place: KeyPlace, firstAt: number): Promise<KeyedRequest> => {
  const { cursorKey } = ports.config;
  const hmac = { name: "HMAC", hash: "SHA-512" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(cursorKey), hmac, false, ["sign"]);
  const text = `keyed.v1|${place.owner}|${place.key}|${firstAt}`;
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return { at: firstAt, body: mintBody(firstAt, bytes.subarray(0, 10)), secret: bytes.slice(10, 42) };
};

const replay = async (ports: AppPorts, place: KeyPlace, answer: KeptAnswer): Promise<Response> => {
  const body = await ports.vault.open(answer.sealed, sealPlace(place));
  const headers = { "Content-Type": answer.contentType, "Idempotent-Replayed": "true" };
  return new Response(body, { status: answer.status, headers });
};

const keep = async (ports: AppPorts, place: HeldKey, answer: Response): Promise<void> => {
  const body = await answer.clone().text();
  if (body.length > ANSWER_MAX_CHARS) return releaseKey(ports.db, place);
  await keepAnswer(ports.db, place, {
    status: answer.status,
    contentType: answer.headers.get("content-type") ?? "application/json",
    sealed: await ports.vault.seal(body, sealPlace(place)),
  });
};

/** The work is done: an answer that cannot be kept is given all the same, and a repeat takes the request up again. */
const kept = async (ports: AppPorts, work: Promise<void>): Promise<void> => {
  try {
    await work;
  } catch (fault) {
    ports.log({ event: "answer_not_kept", name: fault instanceof Error ? fault.name : "unknown" });
  }
};

const conclude = (ports: AppPorts, place: HeldKey, answer: Response): Promise<void> => {
  if (answer.status < 300) return kept(ports, keep(ports, place, answer));
  return kept(ports, answer.status < 500 ? forgetKey(ports.db, place) : releaseKey(ports.db, place));
};

const claimFor = async (c: Context<AppEnv>, place: KeyPlace): Promise<Claim> => {
  const { db, now } = c.get("ports");
  const body = c.get("body") ?? null;
  const requestSha = await requestShaOf({ method: c.req.method, path: c.req.path, body });
  const at = now();
  return claimKey(db, place, requestSha, at, at + KEPT_DAYS * DAY_MS);
};

/** Answers once per key: the first time by `make`, afterwards with what that answered. A request without a key is made each time. */
export const answerOnce = async (c: Context<AppEnv>, make: () => Promise<Response>): Promise<Response> => {
  const idempotencyKey = c.get("idempotencyKey");
  if (idempotencyKey === undefined) return make();
  const ports = c.get("ports");
  const place: KeyPlace = { owner: c.get("access")?.program.id ?? "root", key: commandIdOf(idempotencyKey) };
  const claim = await claimFor(c, place);
  if (claim.kind === "answered") return replay(ports, place, claim.answer);
  if (claim.kind === "other_request")
    throw new Problem("idempotency_mismatch", "This idempotency key was used for another request.");
  if (claim.kind === "running") {
    throw new Problem("idempotency_in_flight", "A request with this idempotency key is being worked on.", {
      headers: { "Retry-After": "1" },
    });
  }
  c.set("ports", { ...ports, keyed: await keyedOf(ports, place, claim.firstAt) });
  const held = { ...place, startedAt: claim.startedAt };
  try {
    const answer = await make();
    await conclude(ports, held, answer);
    return answer;
  } catch (thrown) {
    await kept(ports, isFault(thrown) ? releaseKey(ports.db, held) : forgetKey(ports.db, held));
    throw thrown;
  }
};

/** Stands behind the gates and around the handler. */
export const throughStoredAnswer: MiddlewareHandler<AppEnv> = (c, next) =>
  answerOnce(c, async () => {
    await next();
    return c.res;
  });
