// Asks a provider about an account: a refusal is thrown as one, and a provider that cannot be asked is trouble that passes.
import { type Refusal, Refused } from "../domain/refusals.ts";

const RETRY_AFTER_S = 10;

export const askProvider = async <Answer>(
  question: Promise<Answer | { readonly refusal: Refusal }>,
): Promise<Answer> => {
  const answer = await question.catch((cause: unknown) => {
    throw Object.assign(new Error("the provider cannot be asked", { cause }), { retryAfterS: RETRY_AFTER_S });
  });
  if (typeof answer === "object" && answer !== null && "refusal" in answer) throw new Refused(answer.refusal);
  return answer as Answer;
};
