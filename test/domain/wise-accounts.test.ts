// Whose a Wise token is: Wise alone judges it, and a program's secrets go to Wise's address for its mode only.
import { describe, expect, it } from "vitest";
import { accountOfWise } from "../../src/rails/wise-accounts.ts";
import { TOKEN } from "../simulators/wise-caller.ts";
import { json, openScene, type Scene, type SceneOptions } from "./wise-scene.ts";

const account = (
  scene: Scene,
  more: { apiToken?: string; profileId?: string; webhookPublicKey?: string } = {},
) =>
  accountOfWise(scene.ports, scene.program, {
    apiToken: TOKEN,
    profileId: String(scene.profile),
    webhookPublicKey: null,
    ...more,
  });

describe("the account of a Wise token", () => {
  it("is the profile that the program names, among the token's own", async () => {
    const scene = openScene();
    const { id: second } = scene.simulator.seedProfile({ token: TOKEN, type: "PERSONAL" });
    expect(await account(scene)).toBe(String(scene.profile));
    expect(await account(scene, { profileId: String(second) })).toBe(String(second));
    expect(scene.sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET https://api.wise-sandbox.com/2026Q3/profiles",
      "GET https://api.wise-sandbox.com/2026Q3/profiles",
    ]);
  });

  it("is refused with the field that is wrong", async () => {
    const scene = openScene();
    const { id: other } = scene.simulator.seedProfile({ token: "another-token" });
    expect(await account(scene, { apiToken: "no-token" })).toMatchObject({
      refusal: { code: "credentials_refused", pointer: "/api_token" },
    });
    for (const profileId of [String(other), "1", "", "profile", `0${scene.profile}`]) {
      expect(await account(scene, { profileId })).toMatchObject({
        refusal: { code: "credentials_refused", pointer: "/profile_id" },
      });
    }
    expect(await account(scene, { webhookPublicKey: "no key" })).toMatchObject({
      refusal: { code: "credentials_refused", pointer: "/webhook_public_key" },
    });
    expect(await account(scene, { webhookPublicKey: await scene.simulator.publicKeyPem() })).toBe(
      String(scene.profile),
    );
    const told = JSON.stringify(await account(scene, { apiToken: "no-token" }));
    expect(told).not.toContain("no-token");
  });

  it.each<[string, SceneOptions]>([
    ["a live program's elsewhere", { mode: "live", apiBase: "http://127.0.0.1:9" }],
    ["a test program's to live Wise", { mode: "test", apiBase: "https://api.wise.com" }],
  ])("is not asked for where it would take %s", async (_what, options) => {
    const scene = openScene(options);
    expect(await account(scene)).toMatchObject({
      refusal: { code: "credentials_refused", pointer: "/api_token" },
    });
    expect(scene.sent).toEqual([]);
  });

  it.each([
    "drop_before_work",
    "error_500_not_cached",
    "html_502",
    "html_403",
    "rate_limit_429",
    "garbage_200",
  ] as const)("is nobody's to say while Wise answers with %s", async (fault) => {
    const scene = openScene();
    scene.simulator.addFault({ fault, match: {} });
    await expect(account(scene)).rejects.toThrow("no list of profiles");
    expect(await account(scene)).toBe(String(scene.profile));
  });

  it("is nobody's to say where the answer is no list", async () => {
    const scene = openScene();
    for (const body of [{}, null, { id: scene.profile }]) {
      scene.stand.in = () => json(200, body);
      await expect(account(scene)).rejects.toThrow("no list of profiles");
    }
  });
});
