// Where a vendor takes an id, ours, `ext:` and the caller's own, and the caller's own alone all work.
import { type AffiliateId, type CommissionId, isId } from "../domain/ids.ts";
import type { Ref } from "../store/refs.ts";

const EXTERNAL = "ext:";

const refOf = <Id extends `${string}_${string}`>(prefix: "aff" | "com", text: string): Ref<Id> => {
  if (isId(prefix, text)) return { id: text as string as Id };
  return { externalId: text.startsWith(EXTERNAL) ? text.slice(EXTERNAL.length) : text };
};

export const affiliateRefOf = (text: string): Ref<AffiliateId> => refOf("aff", text);
export const commissionRefOf = (text: string): Ref<CommissionId> => refOf("com", text);
