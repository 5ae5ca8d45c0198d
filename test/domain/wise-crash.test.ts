// Dying between any two calls to Wise: whoever comes next finds out what was done, and one transfer is paid for once or not at all.
import { describe, expect, it } from "vitest";
import type { Attempt, RailOutcome } from "../../src/domain/payout.ts";
import { ConnectionDropped } from "../simulators/wise.ts";
import {
  beginAttempt,
  counted,
  find,
  HOUR_MS,
  MINUTE_MS,
  openScene,
  type Scene,
  type SceneOptions,
  send,
} from "./wise-scene.ts";

interface Course {
  readonly name: string;
  readonly options: SceneOptions;
  readonly balance: number;
  /** How many calls a send makes that nothing disturbs. */
  readonly calls: number;
  readonly ends: RailOutcome["kind"];
  readonly payments: number;
}

const COURSES: readonly Course[] = [
  { name: "is covered", options: {}, balance: 500, calls: 4, ends: "accepted", payments: 1 },
  { name: "is not covered", options: {}, balance: 5, calls: 5, ends: "refused", payments: 0 },
  {
    name: "only a person may make",
    options: { country: "DE" },
    balance: 500,
    calls: 4,
    ends: "needs_hand",
    payments: 0,
  },
];

const opened = async (course: Course) => {
  const scene = openScene(course.options);
  scene.simulator.setBalance({ profile: scene.profile, currency: "USD", amount: course.balance });
  const attempt = await beginAttempt(scene);
  scene.sent.splice(0);
  return { scene, attempt };
};

/** From the n-th call on nothing goes out any more, or goes out and is never heard of. */
const dieAt = (scene: Scene, n: number, isDone: boolean): void => {
  let calls = 0;
  scene.stand.in = (request) => {
    calls += 1;
    if (calls < n) return undefined;
    if (calls === n && isDone) void scene.simulator.fetch(request).catch(() => undefined);
    throw new ConnectionDropped();
  };
};

/** What the next consumer does with an attempt of which nothing was written down. */
const takeOver = async (scene: Scene, attempt: Attempt): Promise<RailOutcome> => {
  const begun = { ...attempt, state: "begun", tries: 0 } as const;
  return (await find(scene, begun)) ?? (await send(scene, begun));
};

describe.each(COURSES)("a payment that $name", (course) => {
  it("makes its calls and ends as it should where nothing happens", async () => {
    const { scene, attempt } = await opened(course);
    expect((await send(scene, attempt)).kind).toBe(course.ends);
    expect(scene.sent).toHaveLength(course.calls);
    expect(counted(scene)).toMatchObject({ made: 1, payments: course.payments });
  });

  const deaths = Array.from({ length: course.calls }, (_, n) => n + 1).flatMap((n) =>
    [false, true].map((isDone) => ({ n, when: isDone ? "after" : "before", isDone })),
  );

  it.each(deaths)(
    "ends the same where the sender dies $when call $n, however soon or late",
    async ({ n, isDone }) => {
      for (const laterMs of [2_000, 25_000, 20 * MINUTE_MS, 40 * MINUTE_MS, 22 * HOUR_MS]) {
        const { scene, attempt } = await opened(course);
        dieAt(scene, n, isDone);
        expect((await send(scene, attempt)).kind).toBe("unknown");
        scene.stand.in = undefined;
        scene.clock.now += laterMs;
        const outcome = await takeOver(scene, attempt);
        const isLate = laterMs > 30 * MINUTE_MS && counted(scene).made === 0;
        // A quote that ran out before Wise was reached ends it: nothing was made, and a retry gets another.
        expect(outcome, `${laterMs}`).toMatchObject(
          isLate ? { kind: "refused", code: "quote_expired" } : { kind: course.ends },
        );
        expect(counted(scene)).toMatchObject(
          isLate ? { made: 0, payments: 0 } : { made: 1, payments: course.payments },
        );
        const again = await takeOver(scene, attempt);
        expect(again.kind).toBe(outcome.kind);
        expect(counted(scene).payments).toBe(isLate ? 0 : course.payments);
      }
    },
  );

  it("ends the same where every other call is lost, on its way there or back", async () => {
    for (const isDone of [false, true]) {
      const { scene, attempt } = await opened(course);
      let calls = 0;
      scene.stand.in = (request) => {
        calls += 1;
        if (calls % 2 === 0) return undefined;
        if (isDone) void scene.simulator.fetch(request).catch(() => undefined);
        throw new ConnectionDropped();
      };
      const kinds: string[] = [];
      for (let n = 0; n < 12; n += 1) kinds.push((await takeOver(scene, attempt)).kind);
      scene.stand.in = undefined;
      expect((await takeOver(scene, attempt)).kind).toBe(course.ends);
      expect(counted(scene)).toMatchObject({ made: 1, payments: course.payments });
      if (course.ends !== "refused") expect(kinds).not.toContain("refused");
    }
  });
});
