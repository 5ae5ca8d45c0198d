// The status table, asked: where an action leads, or why it does not.
import { PAYOUT_TRANSITIONS, type Payout, type PayoutAction, type PayoutStatus } from "../payout.ts";
import { refuse } from "../refusals.ts";

/** The status that an action leads to, or why it does not. */
export const moved = (
  payout: Payout,
  action: PayoutAction,
): { status: PayoutStatus } | ReturnType<typeof refuse> => {
  const status = PAYOUT_TRANSITIONS[payout.status][action];
  return status === undefined
    ? refuse(
        "invalid_state",
        `A payout that is ${payout.status} cannot be changed by ${action.replace("_", "-")}.`,
        { facts: { status: payout.status } },
      )
    : { status };
};
