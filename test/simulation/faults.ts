// Every fault that the simulation can bring, by name: how it is armed before a step, and which of them a run must have seen.
import { FAULTS as AT_STRIPE, type FaultName } from "../simulators/stripe.ts";
import type { Mishap, Trip } from "./d1-port.ts";
import type { Draw } from "./draw.ts";
import type { OperationName } from "./operations.ts";
import type { World } from "./world.ts";

type Arm = (world: World, draw: Draw) => void;

const D1: readonly { fault: string; side: "edge" | "ledger"; on: Trip; when: Mishap["when"] }[] = [
  { fault: "d1_object_commit_lost_before", side: "ledger", on: "commit", when: "before" },
  { fault: "d1_object_commit_lost_after", side: "ledger", on: "commit", when: "after" },
  { fault: "d1_object_read_lost", side: "ledger", on: "read", when: "after" },
  { fault: "d1_edge_commit_lost_before", side: "edge", on: "commit", when: "before" },
  { fault: "d1_edge_commit_lost_after", side: "edge", on: "commit", when: "after" },
  { fault: "d1_edge_write_lost_before", side: "edge", on: "write", when: "before" },
  { fault: "d1_edge_write_lost_after", side: "edge", on: "write", when: "after" },
  { fault: "d1_edge_read_lost", side: "edge", on: "read", when: "after" },
];

/** Once or twice as a rule, at times more often than the code tries. */
const d1Arms: [string, Arm][] = D1.map(({ fault, side, on, when }) => [
  fault,
  (world, draw) => {
    const times = draw.chance(75) ? 1 + draw.below(2) : 5 + draw.below(12);
    world[side].pending.push({ fault, on: [on], when, times });
  },
]);

const SLOW: readonly FaultName[] = ["slow", "slow_after_work"];

/** What the client waits for a slow answer; the work at the provider ends some seconds of its time later. */
const PATIENCE_MS = 4;
const SLOW_MS = 8_000;

const providerArms: [string, Arm][] = AT_STRIPE.map((fault) => [
  `stripe_${fault}`,
  (world, draw) => {
    if (SLOW.includes(fault)) world.patienceMs = PATIENCE_MS;
    const delay = SLOW.includes(fault)
      ? { delay_ms: SLOW_MS }
      : fault === "list_lag"
        ? { delay_ms: 40_000 }
        : {};
    const retry = fault === "rate_limit_429" && draw.chance(50) ? { retry_after_s: 1 + draw.below(90) } : {};
    world.stripe.addFault({ fault, times: 1 + draw.below(2), ...delay, ...retry });
  },
]);

const more: [string, Arm][] = [
  [
    "stripe_done_but_unseen",
    (world, draw) => {
      // The worst of them: the transfer is made, its answer is lost, and the list does not show it yet.
      world.stripe.addFault({ fault: "list_lag", delay_ms: 60_000 });
      world.stripe.addFault({ fault: draw.of("drop_after_work", "cut_body", "empty_503_after_work") });
    },
  ],
  [
    "stripe_look_up_lost",
    (world, draw) => {
      const match = { method: "GET", path: "/v1/transfers" };
      const fault = draw.of("drop_before_work", "html_502", "empty_503", "rate_limit_429");
      world.stripe.addFault({ fault, match, times: 1 + draw.below(2) });
    },
  ],
  [
    "queue_send_failed",
    (world, draw) => {
      world.hints.failing += 1 + draw.below(2);
    },
  ],
];

const ARMS = new Map<string, Arm>([...d1Arms, ...providerArms, ...more]);

/** Armed at any time, they wait at the provider for the transfer that they strike; the worst come more often. */
export const PROVIDER_FAULTS: readonly string[] = [
  ...[...ARMS.keys()].filter((fault) => fault.startsWith("stripe_")),
  ...Array.from({ length: 4 }, () => "stripe_done_but_unseen"),
  ...["stripe_drop_after_work", "stripe_balance_insufficient", "stripe_account_closed", "stripe_slow"],
  ...["stripe_look_up_lost", "stripe_slow", "stripe_balance_insufficient"],
];

const OF_OBJECT = ["d1_object_commit_lost_before", "d1_object_commit_lost_after", "d1_object_read_lost"];
const OF_EDGE = ["d1_edge_write_lost_before", "d1_edge_write_lost_after", "d1_edge_read_lost"];
const OF_RUN = ["d1_edge_commit_lost_before", "d1_edge_commit_lost_after"];

/** What can strike a command of one affiliate. */
export const COMMAND_FAULTS: readonly string[] = [...OF_OBJECT, ...OF_OBJECT, "d1_edge_read_lost"];

const RUN_FAULTS = [...OF_RUN, ...OF_EDGE, ...OF_OBJECT];

/** What of our own side can strike other operations; where nothing of ours is at work, only the provider's are left. */
export const OUR_FAULTS: Partial<Record<OperationName, readonly string[]>> = {
  generate: RUN_FAULTS,
  generate_at_once: RUN_FAULTS,
  move_under_run: [...OF_OBJECT, ...OF_EDGE],
  change_policy: OF_EDGE,
  rotate_credentials: OF_EDGE,
  cron: ["d1_edge_read_lost", "d1_edge_write_lost_after", "queue_send_failed", "queue_send_failed"],
  pay: [...OF_OBJECT, "d1_edge_read_lost", "queue_send_failed"],
  pay_and_deliver: [...OF_OBJECT, "d1_edge_read_lost", "queue_send_failed"],
  deliver: [...OF_OBJECT, "d1_edge_read_lost", "queue_send_failed"],
  advance: PROVIDER_FAULTS,
  jump_clock: PROVIDER_FAULTS,
  drop_messages: PROVIDER_FAULTS,
  provider_recovers: ["d1_edge_read_lost"],
  evict: PROVIDER_FAULTS,
  abort: PROVIDER_FAULTS,
};

export const arm = (world: World, fault: string, draw: Draw): void => ARMS.get(fault)?.(world, draw);

/** A list fault of its own that rides on another name in the provider's count. */
const COUNTED_ELSEWHERE: readonly string[] = ["stripe_done_but_unseen"];

/** A run in which one of these never struck has proved less than it says. */
export const MUST_STRIKE: readonly string[] = [
  ...[...ARMS.keys()].filter((fault) => !COUNTED_ELSEWHERE.includes(fault)),
  "stripe_key_in_use_409",
  "stripe_account_in_trouble",
  "paid_late",
  "stale_second_object",
  "object_evicted",
  "object_aborted",
  "object_aborted_before_commit",
  "object_aborted_after_commit",
  "book_moved_under_a_turn",
  "book_moved_under_a_run",
  "policy_moved_under_a_run",
  "queue_duplicated",
  "queue_reordered",
  "queue_dropped",
  "dead_letter",
  "clock_jumped_past_the_key_window",
];
