// Stands in for the Cron Trigger, which never fires in a local runtime.
import type { Miniflare } from "miniflare";

/** One round at a time; a round that fails is logged and the next one comes all the same. */
export function startCron(
  miniflare: Miniflare,
  everyS: number,
  log: (line: string) => void,
): { stop(): Promise<void> } {
  let round: Promise<void> | undefined;
  const fire = async () => {
    try {
      const worker = await miniflare.getWorker();
      await worker.scheduled({ scheduledTime: new Date(), cron: "* * * * *" });
    } catch (error) {
      log(`cron: ${String(error)}`);
    } finally {
      round = undefined;
    }
  };
  const timer = setInterval(() => {
    round ??= fire();
  }, everyS * 1000);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.race([round, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
    },
  };
}
