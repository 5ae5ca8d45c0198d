// Calls over kept-alive connections with as little work as possible per call, because the clients share the machine with the Worker.
import { Agent, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Call {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #key: string | undefined;

  constructor(port: number, key?: string) {
    this.#port = port;
    this.#key = key;
  }

  /** The runtime may close a connection that lay idle in the moment in which it is used again; then nothing was asked yet. */
  async send(call: Call): Promise<Answer> {
    const sent = { isReused: false };
    try {
      return await this.#send(call, sent);
    } catch (error) {
      const isReset = error instanceof Error && "code" in error && error.code === "ECONNRESET";
      if (!isReset || !sent.isReused) throw error;
      return this.#send(call, sent);
    }
  }

  #send({ method, path, body, headers = {} }: Call, sent: { isReused: boolean }): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const own = {
      ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
      ...(payload === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    };
    const target = { agent: this.#agent, host: "127.0.0.1", port: this.#port, method, path };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...target, headers: { ...own, ...headers } }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      outgoing.on("error", (error) => {
        sent.isReused = outgoing.reusedSocket;
        reject(error);
      });
      outgoing.end(payload);
    });
  }

  /** The body of an answer with that status; anything else is an error that shows it. */
  async want<T>(call: Call, ...statuses: readonly number[]): Promise<T> {
    const answer = await this.send(call);
    if (!statuses.includes(answer.status)) {
      throw new Error(`${call.method} ${call.path} → ${answer.status} ${answer.text.slice(0, 500)}`);
    }
    return JSON.parse(answer.text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}
