// Finds free loopback ports and waits for one that a dying predecessor still holds.
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

/** Port 0 asks for any. Waits up to waitS seconds, because the runtime of a killed start needs a moment to let go of its port. */
export async function claimPort(port: number, waitS: number, log: (line: string) => void): Promise<number> {
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
  return got ?? claimPort(0, 0, () => undefined);
}
