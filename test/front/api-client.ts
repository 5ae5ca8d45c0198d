// A small client of the public API: what a storefront would write, with the problem in the error's words.
import { setTimeout as sleep } from "node:timers/promises";

export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(call: string, status: number, problem: { code?: string; detail?: string }) {
    super(`${call} → ${status} ${problem.code ?? ""} ${problem.detail ?? ""}`.trimEnd());
    this.status = status;
    this.code = problem.code ?? String(status);
  }
}

export class ApiClient {
  readonly #url: string;
  readonly #key: string;
  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>("GET", path, undefined, {});
  }

  post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.#call<T>("POST", path, body, headers);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>("PUT", path, body, {});
  }

  /** All pages of a list. */
  async *list<T>(path: string): AsyncGenerator<T> {
    const joint = path.includes("?") ? "&" : "?";
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { data: T[]; next_cursor: string | null } = await this.get(`${path}${joint}limit=200${at}`);
      yield* page.data;
      cursor = page.next_cursor;
    }
  }

  // A 429 or 503 says that nothing was done, so the same call may be made again.
  async #call<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<T> {
    for (let round = 0; ; round++) {
      const answer = await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as T;
      if ((answer.status === 429 || answer.status === 503) && round < 6) {
        await sleep(1000 * Number(answer.headers.get("retry-after") ?? 1));
        continue;
      }
      throw new ApiRefusal(`${method} ${path}`, answer.status, problemOf(text));
    }
  }
}

function problemOf(text: string): { code?: string; detail?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 300) };
  }
}

/** Runs at most `width` at once and keeps the order of the results. */
export async function inParallel<A, B>(
  items: readonly A[],
  width: number,
  run: (item: A) => Promise<B>,
): Promise<B[]> {
  const results: B[] = new Array(items.length);
  const queue = items.entries();
  const lane = async () => {
    for (const [at, item] of queue) results[at] = await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
