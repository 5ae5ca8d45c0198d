// A command's idempotency key answers for ever what the command answered, whatever became of its object since.
import { describe, expect, it } from "vitest";
import { expectSound } from "./books.ts";
import { type Call, COMMANDS } from "./idempotency-commands.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

const send = (world: World, { method, path }: Call, body: object | undefined): Promise<Answer<Loose>> =>
  world.call(method, path, body, { "idempotency-key": "the key" });

const expectReplay = async (world: World, call: Call, first: Answer<Loose>): Promise<void> => {
  const before = await readTables();
  const again = await send(world, call, call.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect([again.status, again.body]).toEqual([first.status, first.body]);
  expect(changedTables(before, await readTables())).toEqual([]);
};

describe("the same key again", () => {
  it.each(Object.keys(COMMANDS))("answers the same, at once and after things went on: %s", async (name) => {
    const world = await openWorld();
    const command = await COMMANDS[name]?.(world);
    if (command === undefined) throw new Error(`no command ${name}`);
    const { call } = command;
    const first = await send(world, call, call.body);
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    await expectReplay(world, call, first);
    await command.moveOn(first.body);
    world.advance(90_000);
    await expectReplay(world, call, first);
    if (call.other !== undefined) {
      const before = await readTables();
      const other = await send(world, call, call.other);
      expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
      expect(changedTables(before, await readTables())).toEqual([]);
    }
    await expectSound(world);
  });
});
