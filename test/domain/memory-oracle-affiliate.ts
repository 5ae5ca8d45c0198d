// The invariants of the affiliate: its readiness is the newest word on its own account, and it is onboarded once.
import type { Memory } from "./memory-ledger.ts";
import type { Truth } from "./memory-provider.ts";

export const affiliateViolation = ({ affiliate, events }: Memory, { words }: Truth): string | undefined => {
  if (affiliate === undefined) return undefined;
  const { destination, ready, missing, onboardedAt } = affiliate;
  const word = words.get(destination?.account ?? "");
  if (word !== undefined && word.ready !== ready) return `status: ready is ${ready}, the newest word is not`;
  if (ready && missing.length > 0) return `status: ready with ${missing.join()} missing`;
  const told = events.filter(({ type }) => type === "affiliate.onboarded").length;
  if (told !== (onboardedAt === null ? 0 : 1))
    return `I13 onboarded at ${onboardedAt}, announced ${told} times`;
  return ready && destination?.method === "stripe" && onboardedAt === null
    ? "status: an account that may be paid was never onboarded"
    : undefined;
};
