// Finds free loopback ports and waits for one that a dying predecessor still holds.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves with the port that was got, or with undefined when another program listens there. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(new Error(`port ${port} cannot be opened: ${error.message}`));
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}

// Below the range from which systems take the ports of outgoing connections: between finding a port here and the runtime's opening it, a connection of any process could take one from there.
const lowest = 20_000;
const highest = 32_000;

async function anyPort(): Promise<number> {
  for (let round = 0; round < 100; round++) {
    const got = await tryPort(randomInt(lowest, highest));
    if (got !== undefined) return got;
  }
  throw new Error(`no free port found from ${lowest} to ${highest}: set PORT to a free one`);
}

/** Port 0 asks for any. Waits up to waitS seconds, because the runtime of a killed start needs a moment to let go of its port. */
export async function claimPort(port: number, waitS: number, log: (line: string) => void): Promise<number> {
  if (port === 0) return anyPort();
  const until = Date.now() + waitS * 1000;
  for (let round = 0; ; round++) {
    const got = await tryPort(port);
    if (got !== undefined) return got;
    if (Date.now() >= until) {
      throw new Error(
        `port ${port} is taken by another program: stop it, or set PORT to another (0 for any)`,
      );
    }
    if (round === 0) log(`port ${port} is taken; waiting up to ${waitS} s for it`);
    await sleep(250);
  }
}

/** Prefers the port of last time, so that addresses that were handed out go on working. */
export async function preferPort(port: number | undefined): Promise<number> {
  const got = port === undefined ? undefined : await tryPort(port);
  return got ?? anyPort();
}
