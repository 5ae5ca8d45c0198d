// Bodies: what is unreadable is 400, what is read and refused is 422, what is too much or of another kind is 413 or 415.
import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import type { StipendApp } from "../../src/http/env.ts";
import { DEPTH_MAX } from "../../src/http/json-scan.ts";
import { defineRoute } from "../../src/http/route.ts";
import { amount, jsonAnswer, jsonBody } from "../../src/http/wire.ts";
import { makeWorld, type ProblemBody, problemIn } from "../support/http-world.ts";

const echoed = z.object({ value: z.unknown() });
const responses = { 200: jsonAnswer(echoed, "What arrived") };
const Note = z.strictObject({
  amount: amount.optional(),
  note: z.string().default("none"),
  any: z.unknown().optional(),
});
const method = "post";

const registerEchoes = (app: StipendApp): void => {
  const strict = { to: "public", idempotency: "ignored" } as const;
  const required = defineRoute(strict, {
    method,
    path: "/required",
    request: { body: jsonBody(Note) },
    responses,
  });
  const optional = defineRoute(strict, {
    method,
    path: "/optional",
    request: { body: jsonBody(Note, false) },
    responses,
  });
  const fieldless = defineRoute(strict, { method, path: "/fieldless", responses });
  app.openapi(required, (c) => c.json({ value: c.req.valid("json") }, 200));
  app.openapi(optional, (c) => c.json({ value: c.req.valid("json") }, 200));
  app.openapi(fieldless, (c) => c.json({ value: c.get("body") }, 200));
};

const { app } = makeWorld(registerEchoes);
const JSON_TYPE = { "content-type": "application/json" };

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream | null;
const post = async (
  path: string,
  body: Body,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Response> => {
  // A string body would bring its own content type along.
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return app.request(path, { method: "POST", headers, body: bytes, duplex: "half" } as RequestInit);
};

const refusedWith = async (
  status: number,
  body: Body,
  headers?: Record<string, string>,
): Promise<ProblemBody> => {
  const problem = await problemIn(await post("/required", body, headers));
  expect(problem.status, JSON.stringify(problem)).toBe(status);
  return problem;
};

describe("a JSON body", () => {
  it("reaches the route through its schema, defaults applied", async () => {
    const answer = await post("/required", '{"amount":5,"any":{"ä":[1,null,true]}}');
    expect(await answer.json()).toEqual({ value: { amount: 5, note: "none", any: { ä: [1, null, true] } } });
  });

  it.each([
    "application/json",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "Application/JSON",
  ])("may say %s", async (type) => {
    expect((await post("/required", "{}", { "content-type": type })).status).toBe(200);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=iso-8859-1",
    "application/merge-patch+json",
    "application/jsonp",
    "application/json, text/plain",
  ])("is 415 when it says %s", async (type) => {
    expect((await refusedWith(415, "{}", { "content-type": type })).code).toBe("unsupported_media_type");
  });

  it("is 415 without a content type, and with a content encoding", async () => {
    await refusedWith(415, "{}", {});
    await refusedWith(415, "{}", { ...JSON_TYPE, "content-encoding": "gzip" });
    expect((await post("/required", "{}", { ...JSON_TYPE, "content-encoding": "identity" })).status).toBe(
      200,
    );
  });

  it.each([
    "",
    " ",
    "{",
    '{"amount":1,}',
    '{"amount":1/*x*/}',
    "{'amount':1}",
    '{"amount":NaN}',
    '{"amount":Infinity}',
    '{"amount":0100}',
    '{"amount":1}{"amount":2}',
    '{"a":"\\ud8"}',
    '{"a":"unclosed}',
    '{"a":"new\nline"}',
    "}{",
    "]",
  ])("is 400 when it is no JSON: %j", async (text) => {
    expect((await refusedWith(400, text)).code).toBe("bad_json");
  });

  it("is 400 when it is not UTF-8, or starts with a byte order mark", async () => {
    const utf16 = Uint8Array.from([0xff, 0xfe, 0x7b, 0, 0x7d, 0]);
    const utf16WithoutMark = Uint8Array.from([0x7b, 0, 0x7d, 0]);
    const cut = Uint8Array.from([0x7b, 0x22, 0xc3, 0x22, 0x7d]);
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]);
    for (const bytes of [utf16, utf16WithoutMark, cut, marked]) await refusedWith(400, bytes);
  });

  it.each(["[]", "42", "null", '"text"', "true", '[{"amount":1}]'])(
    "is 422 when it is no object: %s",
    async (text) => {
      expect((await refusedWith(422, text)).code).toBe("validation_failed");
    },
  );

  it("is 422 with unknown fields and names them", async () => {
    const problem = await refusedWith(422, '{"amont":1,"a/b~c":2}');
    expect(problem.errors.map((error) => error.pointer)).toEqual(["/amont", "/a~1b~0c"]);
  });
});

describe("the size of a body", () => {
  const over = `{"any":"${"a".repeat(262_144)}"}`;

  it("is at most 256 KiB", async () => {
    const exact = `{"any":"${"a".repeat(262_144 - 10)}"}`;
    expect(exact.length).toBe(262_144);
    expect((await post("/required", exact)).status).toBe(200);
    expect((await refusedWith(413, over)).max_bytes).toBe(262_144);
  });

  it("is believed from its content-length when that is too much", async () => {
    await refusedWith(413, "{}", { ...JSON_TYPE, "content-length": "1000000" });
  });

  const sendStream = async (total: number): Promise<number> => {
    let sent = 0;
    const chunk = new Uint8Array(65_536).fill(0x61);
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += chunk.byteLength;
        controller.enqueue(chunk);
        if (sent >= total) controller.close();
      },
    });
    await refusedWith(413, stream);
    return sent;
  };

  it("is counted while it streams, and the sender may end before it hears so", async () => {
    expect(await sendStream(10_485_760)).toBe(10_485_760);
  });

  it("is not waited for without end", async () => {
    expect(await sendStream(Number.POSITIVE_INFINITY)).toBeLessThan(18_000_000);
  });
});

describe("the nesting of a body", () => {
  const nested = (depth: number): string => `{"any":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

  it(`is at most ${DEPTH_MAX}`, async () => {
    expect((await post("/required", nested(DEPTH_MAX))).status).toBe(200);
    expect((await refusedWith(400, nested(DEPTH_MAX + 1))).detail).toContain("deeper");
  });

  it("does not bring the reader down", async () => {
    await refusedWith(400, "[".repeat(100_000));
    await refusedWith(400, `${'{"a":'.repeat(50_000)}1`);
  });

  it("does not count brackets in strings", async () => {
    expect((await post("/required", `{"any":"${"[{".repeat(100)}\\"["}`)).status).toBe(200);
  });
});

describe("the keys of a body", () => {
  it.each([
    '{"amount":1,"amount":2}',
    '{"any":{"a":{"b":1,"c":2,"b":3}}}',
    '{"any":[{"x":1},{"x":1,"x":1}]}',
    '{"amount":1,"\\u0061mount":2}',
  ])("stand once in an object: %s", async (text) => {
    expect((await refusedWith(400, text)).detail).toContain("twice");
  });

  it("may repeat in different objects", async () => {
    expect((await post("/required", '{"any":[{"x":{"x":1}},{"x":2}],"note":"x"}')).status).toBe(200);
  });

  it.each([
    ['{"__proto__":{"admin":true}}', "/__proto__"],
    ['{"any":[0,{"a":{"constructor":1}}]}', "/any/1/a/constructor"],
    ['{"any":{"prototype":1}}', "/any/prototype"],
    ['{"any":{"__pro\\u0074o__":1}}', "/any/__proto__"],
  ])("are never those of every object: %s", async (text, pointer) => {
    expect((await refusedWith(422, text)).errors[0]?.pointer).toBe(pointer);
  });

  it("may be the value of a string", async () => {
    expect((await post("/required", '{"any":["__proto__","constructor"]}')).status).toBe(200);
  });
});

describe("the strings of a body", () => {
  it.each([
    ['{"any":["a\\ud800b"]}', "/any/0"],
    ['{"any":"\\udc00"}', "/any"],
    ['{"any":{"\\ud800":1}}', "/any/\ud800"],
    ['{"note":"a\\u0000b"}', "/note"],
  ])("are whole and without NUL: %s", async (text, pointer) => {
    expect((await refusedWith(422, text)).errors[0]?.pointer).toBe(pointer.toWellFormed());
  });

  it("may hold whole surrogate pairs, escaped or not", async () => {
    const answer = await post("/required", '{"any":["\\ud83d\\ude00","😀"]}');
    expect(await answer.json()).toEqual({ value: { any: ["😀", "😀"], note: "none" } });
  });
});

describe("an optional body", () => {
  it("may be absent, with or without a content type, and its schema's defaults apply", async () => {
    for (const headers of [{}, JSON_TYPE] as Record<string, string>[]) {
      for (const body of [null, ""]) {
        const answer = await post("/optional", body, headers);
        expect(await answer.json()).toEqual({ value: { note: "none" } });
      }
    }
  });

  it("is checked like any other when it is there", async () => {
    expect((await post("/optional", '{"amount":7}')).status).toBe(200);
    expect((await post("/optional", '{"amount":0}')).status).toBe(422);
    expect((await post("/optional", "{}", {})).status).toBe(415);
    expect((await post("/optional", "{", JSON_TYPE)).status).toBe(400);
  });

  it("of a route without fields is nothing or an empty object", async () => {
    expect((await post("/fieldless", null, {})).status).toBe(200);
    expect((await post("/fieldless", "{}")).status).toBe(200);
    const problem = await problemIn(await post("/fieldless", '{"force":true}'));
    expect(problem.status).toBe(422);
    expect(problem.errors).toEqual([{ pointer: "/force", detail: "is not known here" }]);
  });
});
