// Serves a simulated provider over HTTP from Node, and keeps its state in a file when asked.
/// <reference types="node" />

import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is served: requests as fetch makes them, and a state that JSON.stringify writes whole. */
export type Served = { fetch(request: Request): Promise<Response> };

export type ListenOptions = { port?: number; host?: string; statePath?: string };

export type SimulatorServer<Simulator extends Served> = {
  url: string;
  simulator: Simulator;
  close: () => Promise<void>;
};

/** Port 0 or none takes a free one. With a statePath what was done survives a restart. */
export async function serveSimulator<Simulator extends Served>(
  options: ListenOptions,
  make: (saved: unknown) => Simulator,
): Promise<SimulatorServer<Simulator>> {
  const { port = 0, host = "127.0.0.1", statePath } = options;
  const simulator = make(statePath === undefined ? undefined : await savedAt(statePath));
  const save = statePath === undefined ? async () => undefined : saver(simulator, statePath);
  const server = createServer((incoming, outgoing) => {
    serve(simulator, save, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${host}:${address.port}`, simulator, close };
}

async function savedAt(statePath: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(statePath, "utf8")) as unknown;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Requests that end while a write is under way share the next one. */
function saver(simulator: Served, path: string): () => Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  const write = async () => {
    next = null;
    await writeFile(`${path}.new`, JSON.stringify(simulator));
    await rename(`${path}.new`, path);
  };
  return () => {
    if (next === null) {
      next = writing.then(write);
      writing = next.catch(() => undefined);
    }
    return next;
  };
}

async function serve(
  simulator: Served,
  save: () => Promise<void>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = await requestOf(incoming);
  try {
    const response = await simulator.fetch(request);
    await save();
    await send(response, outgoing);
  } catch {
    await save();
    outgoing.destroy();
  }
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = incoming.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : Buffer.concat(chunks).toString("utf8");
  return new Request(`http://${incoming.headers.host ?? "localhost"}${incoming.url ?? "/"}`, {
    method,
    headers,
    body,
  });
}

/** A body that breaks off breaks off on the wire too, after its first part and under its full content-length. */
async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const reader = response.body.getReader();
  for (;;) {
    const part = await reader.read();
    if (part.done) break;
    await new Promise<void>((resolve, reject) =>
      outgoing.write(part.value, (error) => (error ? reject(error) : resolve())),
    );
  }
  outgoing.end();
}
