// Where an affiliate's money goes: what its provider says of the account, and the same destination under another key.
import { describe, expect, test } from "vitest";
import type { Destination } from "../../src/domain/affiliate.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { PAYOUT_METHODS } from "../../src/domain/payout.ts";
import { Scene } from "./memory-scene.ts";

type Word = Partial<Omit<Extract<Command, { kind: "set_readiness" }>, "kind">>;

const HOUR_MS = 3_600_000;

/** Not ready, as asked at the scene's first moment. */
const onboarding = (): Scene => {
  const scene = new Scene({ method: null });
  scene.setMethod("stripe", "acct_1", false);
  return scene;
};

const said = (scene: Scene, word: Word): Command => {
  const ready = word.ready ?? true;
  const missing = ready ? [] : ["external_account"];
  return { kind: "set_readiness", account: "acct_1", ready, missing, readyAsOf: scene.now, ...word };
};

const affiliateIn = (scene: Scene) => {
  const { affiliate } = scene.memory;
  if (affiliate === undefined) throw new Error("no affiliate");
  return affiliate;
};

const timesAnnounced = (scene: Scene, type: string): number =>
  scene.memory.events.filter((event) => event.type === type).length;

describe("set_readiness", () => {
  test("a provider's word makes the account ready, and says when it was asked for", () => {
    const scene = onboarding();
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    const { ready, missing, readyAsOf, onboardedAt } = affiliateIn(scene);
    expect({ ready, missing, readyAsOf, onboardedAt }).toEqual({
      ...{ ready: true, missing: [] },
      ...{ readyAsOf: scene.now, onboardedAt: scene.now },
    });
    expect(scene.announced).toEqual(["affiliate.updated", "affiliate.onboarded"]);
    expect(scene.moves).toEqual([]);
  });

  test("all that is missing is named", () => {
    const scene = onboarding();
    scene.apply(said(scene, { ready: false, missing: ["id_document", "tos_acceptance"] }));
    expect(affiliateIn(scene).missing).toEqual(["id_document", "tos_acceptance"]);
    expect(scene.announced).toEqual(["affiliate.updated"]);
  });

  test("a word on another account changes nothing: the destination is another by now", () => {
    const scene = onboarding();
    const before = affiliateIn(scene);
    scene.now += HOUR_MS;
    expect(scene.turn(said(scene, { account: "acct_2" })).kind).toBe("unchanged");
    expect(affiliateIn(scene)).toBe(before);
  });

  test("an affiliate without a destination is ready by nobody's word", () => {
    const scene = new Scene({ method: null });
    expect(scene.turn(said(scene, {})).kind).toBe("unchanged");
    expect(affiliateIn(scene).ready).toBe(false);
  });

  test("a word that was asked for before the one that stands is too old", () => {
    const scene = onboarding();
    const askedAt = scene.now;
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    const late = said(scene, { ready: false, readyAsOf: askedAt });
    expect(scene.turn(late).kind).toBe("unchanged");
    expect(affiliateIn(scene)).toMatchObject({ ready: true, readyAsOf: scene.now });
  });

  test("the same word again writes nothing and announces nothing", () => {
    const scene = onboarding();
    scene.now += HOUR_MS;
    const word = said(scene, {});
    scene.apply(word);
    const { seq } = scene.memory;
    expect(scene.turn(word).kind).toBe("unchanged");
    expect(scene.memory.seq).toBe(seq);
  });

  test("the same word later is not announced, and makes one that was asked for in between too old", () => {
    const scene = onboarding();
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    const between = scene.now + 1;
    const { updatedAt } = affiliateIn(scene);
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    expect(scene.announced).toEqual([]);
    expect(affiliateIn(scene)).toMatchObject({ readyAsOf: scene.now, updatedAt });
    expect(scene.turn(said(scene, { ready: false, readyAsOf: between })).kind).toBe("unchanged");
    expect(affiliateIn(scene).ready).toBe(true);
  });

  test("the same destination named again keeps a word that is newer than what was asked for it", () => {
    const scene = onboarding();
    const { destination } = affiliateIn(scene);
    if (destination === null) throw new Error("no destination");
    const asked = { ready: false, missing: ["external_account"], readyAsOf: scene.now };
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    scene.apply({ kind: "set_payout_method", destination, ...asked });
    expect(affiliateIn(scene)).toMatchObject({ ready: true, missing: [], readyAsOf: scene.now });
    scene.now += HOUR_MS;
    scene.apply({ kind: "set_payout_method", destination, ...asked, readyAsOf: scene.now });
    expect(affiliateIn(scene)).toMatchObject({ ready: false, readyAsOf: scene.now });
  });

  test("ready, not ready and ready again is onboarded once, and updated each time", () => {
    const scene = onboarding();
    const updates = timesAnnounced(scene, "affiliate.updated");
    scene.now += HOUR_MS;
    const first = scene.now;
    scene.apply(said(scene, { ready: true }));
    scene.now += HOUR_MS;
    scene.apply(said(scene, { ready: false }));
    expect(affiliateIn(scene)).toMatchObject({ ready: false, missing: ["external_account"] });
    scene.now += HOUR_MS;
    scene.apply(said(scene, { ready: true }));
    expect(timesAnnounced(scene, "affiliate.onboarded")).toBe(1);
    expect(timesAnnounced(scene, "affiliate.updated") - updates).toBe(3);
    expect(affiliateIn(scene)).toMatchObject({ ready: true, onboardedAt: first });
  });

  test("an account that can be paid at once is onboarded when it is named", () => {
    const scene = new Scene({ method: null });
    scene.setMethod("stripe", "acct_1");
    expect(scene.announced).toEqual(["affiliate.payout_method_changed", "affiliate.onboarded"]);
    scene.setMethod("stripe", "acct_2");
    expect(scene.announced).toEqual(["affiliate.payout_method_changed"]);
    expect(timesAnnounced(scene, "affiliate.onboarded")).toBe(1);
  });

  test.each(PAYOUT_METHODS.filter((method) => method !== "stripe"))(
    "nobody is onboarded by being paid by %s",
    (method) => {
      const scene = new Scene({ method: null });
      scene.setMethod(method, "somewhere", false);
      scene.turn(said(scene, { account: "somewhere" }));
      scene.setMethod(method, "elsewhere");
      expect(affiliateIn(scene)).toMatchObject({ ready: true, onboardedAt: null });
      expect(timesAnnounced(scene, "affiliate.onboarded")).toBe(0);
    },
  );

  test("another destination forgets what was said of the one before", () => {
    const scene = onboarding();
    scene.now += HOUR_MS;
    scene.apply(said(scene, {}));
    scene.setMethod("stripe", "acct_2", false);
    expect(affiliateIn(scene)).toMatchObject({ ready: false, readyAsOf: scene.now });
    expect(scene.turn(said(scene, { readyAsOf: scene.now + 1 })).kind).toBe("unchanged");
  });

  test("an account that is no longer ready stops a payment that was asked for", () => {
    const scene = new Scene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "pay", payoutId });
    scene.apply(said(scene, { account: "stripe-1", ready: false }));
    expect(scene.refusal(scene.beginning(payoutId))).toBe("payout_method_not_ready");
  });
});

describe("reseal_destination", () => {
  const sealedScene = (): Scene => {
    const scene = new Scene({ method: null });
    const destination: Destination = {
      method: "bank_transfer",
      sha: "sha-1",
      account: null,
      display: "…3000",
      sealed: "old:aaaa",
      currency: null,
    };
    scene.apply({ kind: "set_payout_method", destination, ready: true, missing: [], readyAsOf: null });
    return scene;
  };
  const resealing = (sealed: string, resealed: string): Command => ({
    ...{ kind: "reseal_destination", sealed, resealed },
  });

  test("only what is sealed changes: nothing is announced, no cooldown begins, and no time is stamped", () => {
    const scene = sealedScene();
    const { destination, ...rest } = affiliateIn(scene);
    scene.now += HOUR_MS;
    scene.apply(resealing("old:aaaa", "new:bbbb"));
    expect(scene.announced).toEqual([]);
    const after = affiliateIn(scene);
    expect(after).toEqual({ ...rest, destination: { ...destination, sealed: "new:bbbb" } });
    expect(after.destinationChangedAt).toBe(null);
  });

  test("a payout that was approved for the destination is still for it", () => {
    const scene = sealedScene();
    scene.record(1000);
    const payoutId = scene.claim();
    scene.apply({ kind: "pay", payoutId });
    scene.apply(resealing("old:aaaa", "new:bbbb"));
    scene.apply(scene.beginning(payoutId));
    expect(scene.payout(payoutId)).toMatchObject({ sent: true, destinationSha: "sha-1" });
  });

  test("what stands there by now is not overwritten by a seal of what stood there before", () => {
    const scene = sealedScene();
    scene.apply(resealing("old:aaaa", "new:bbbb"));
    expect(scene.turn(resealing("old:aaaa", "new:cccc")).kind).toBe("unchanged");
    expect(affiliateIn(scene).destination?.sealed).toBe("new:bbbb");
  });

  test("a destination without secrets, or none at all, has nothing to seal", () => {
    for (const method of ["stripe", null] as const) {
      const scene = new Scene({ method });
      expect(scene.turn(resealing("old:aaaa", "new:bbbb")).kind).toBe("unchanged");
    }
  });
});
