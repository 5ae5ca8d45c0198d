// Payout files: made, listed, downloaded, settled from a statement, voided.
import { z } from "@hono/zod-openapi";
import { FILE_FORMATS, FORMAT_RULES } from "../../domain/files/format.ts";
import { whyNotDebtor } from "../../domain/files/payment-line.ts";
import { Refused, refuse } from "../../domain/refusals.ts";
import { type CreatedFile, createPayoutFile } from "../../operations/create-payout-file.ts";
import { settlePayoutFile } from "../../operations/settle-payout-file.ts";
import { voidPayoutFile } from "../../operations/void-payout-file.ts";
import { digestOf } from "../../store/key-hash.ts";
import { readFileItems } from "../../store/payout-file-items.ts";
import { filePlace, findPayoutFile, findSealedFile, listPayoutFiles } from "../../store/payout-files.ts";
import { ctxOf, type Register, type StipendApp } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { idOf, jsonAnswer, jsonBody, listQuery, pageOf } from "../wire.ts";
import {
  createdFileSchema,
  debtorOf,
  failureToWire,
  fileDetailSchema,
  fileDetailToWire,
  fileSchema,
  fileToWire,
  newFileBody,
  settleBody,
  settlementSchema,
  settlementToWire,
  voidBody,
} from "../wire-payout-file.ts";

/** What is no file's id is no file. */
const PARAMS = z.object({ file_id: z.string().openapi({ example: "fil_01JZ0000000000000000000000" }) });

const create = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payout-files",
    tags: ["payout files"],
    summary: "Put payouts into a file for a bank, PayPal or Wise",
    description:
      "Begins each payout's payment, by the rules of `pay`, and writes a file of all that began. A payout is in at most one file that is not voided. " +
      "Payouts in a paypal_csv or wise_csv are paid by a person who uploads the file: their payment is one by hand, and nothing of it is sent by API, then or later; " +
      "one whose payment by API has begun is refused. What cannot be written correctly is in `failed`, and its payment is not begun. " +
      "A paypal_csv holds one currency, the first payout's.",
    request: { body: jsonBody(newFileBody) },
    responses: { 201: jsonAnswer(createdFileSchema, "The file, without its content") },
  },
);

const LIST = listQuery({ format: z.enum(FILE_FORMATS).optional(), run_id: idOf("run").optional() });

const list = defineRoute(
  { to: "files:read" },
  {
    method: "get",
    path: "/v1/payout-files",
    tags: ["payout files"],
    summary: "List payout files",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(fileSchema), "A page of payout files") },
  },
);

const read = defineRoute(
  { to: "files:read" },
  {
    method: "get",
    path: "/v1/payout-files/{file_id}",
    tags: ["payout files"],
    summary: "Read a payout file with its payouts",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(fileDetailSchema, "The file, without its content") },
  },
);

const BYTES = z.string().openapi({ format: "binary" });

const content = defineRoute(
  { to: "files:read" },
  {
    method: "get",
    path: "/v1/payout-files/{file_id}/content",
    tags: ["payout files"],
    summary: "Download a payout file",
    description:
      "The same bytes for ever, whatever changed since, also after the file was voided. `ETag` holds their SHA-256 in hexadecimal, `Repr-Digest` in base64.",
    request: { params: PARAMS },
    responses: {
      200: {
        description: "The file",
        content: { "application/xml": { schema: BYTES }, "text/csv": { schema: BYTES } },
      },
    },
  },
);

const settle = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payout-files/{file_id}/settle",
    tags: ["payout files"],
    summary: "Settle a file's payouts from a bank statement",
    description:
      "Booked debits are matched by their end-to-end id, and by amount and currency: nothing is settled that differs. The bank's reference becomes `external_ref`, the booking date `paid_at`. " +
      "The same statement again has no further effect. What a voided file's statement still shows as paid is paid_late.",
    request: { params: PARAMS, body: jsonBody(settleBody) },
    responses: { 200: jsonAnswer(settlementSchema, "What became of each line") },
  },
);

const cancel = defineRoute(
  { to: "payouts:pay" },
  {
    method: "post",
    path: "/v1/payout-files/{file_id}/void",
    tags: ["payout files"],
    summary: "Void a file that was never uploaded, or that the bank rejected",
    description:
      "Only for a file of which the bank carries out nothing more: each unpaid payout fails and gives its commissions back, and can then be retried into another file. What is paid stays paid. " +
      "Voiding a file that the bank does carry out pays twice. Safe to repeat.",
    request: { params: PARAMS, body: jsonBody(voidBody) },
    responses: { 200: jsonAnswer(fileDetailSchema, "The voided file, with what became of its payouts") },
  },
);

const notFound = (): Refused =>
  new Refused(refuse("file_not_found", "No such payout file in this program.").refusal);

/** Each payout's own reason, at its place in the request. */
const nothingWritten = ({ failed }: CreatedFile, payoutIds: readonly string[] | undefined): Problem => {
  const errors = failed.map(({ payoutId, code, detail }) => ({
    pointer: payoutIds === undefined ? "/run_id" : `/payout_ids/${payoutIds.indexOf(payoutId)}`,
    detail: `${payoutId} ${code}: ${detail}`,
  }));
  return new Problem(
    "nothing_to_write",
    failed.length === 0
      ? "No payout of this run waits to be put into a file of this format."
      : "None of the payouts can be put into a file; each one's reason is in errors.",
    { errors, facts: { failed_count: failed.length } },
  );
};

const registerCreate = (app: StipendApp): void => {
  app.openapi(create, async (c) => {
    const body = c.req.valid("json");
    const debtor = debtorOf(body);
    const why = debtor === undefined ? undefined : whyNotDebtor(debtor);
    if (why !== undefined) throw new Refused({ ...why, pointer: "/debtor" });
    const created = await createPayoutFile(ctxOf(c), {
      format: body.format,
      selection: body.run_id === undefined ? { payoutIds: body.payout_ids ?? [] } : { runId: body.run_id },
      debtor,
      executionDate: body.requested_execution_date,
    });
    if (created.file === undefined) throw nothingWritten(created, body.payout_ids);
    const wire = {
      ...fileToWire(created.file),
      failed: created.failed.map(failureToWire),
      remaining: created.remaining,
    };
    return c.json(wire, 201);
  });
};

const hexToBase64 = (hex: string): string =>
  btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))));

const registerReads = (app: StipendApp): void => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const page = await pageOfQuery(c, query);
    const filters = { format: query.format, runId: query.run_id };
    const { files, hasMore } = await listPayoutFiles(db, program.id, filters, page);
    return c.json(await pageAnswer(c, query, files.map(fileToWire), hasMore, files.at(-1)?.id), 200);
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const file = await findPayoutFile(db, program.id, c.req.valid("param").file_id);
    if (file === undefined) throw notFound();
    return c.json(fileDetailToWire(file, await readFileItems(db, program.id, file.id)), 200);
  });
  app.openapi(content, async (c) => {
    const { db, program, vault } = ctxOf(c);
    const file = await findSealedFile(db, program.id, c.req.valid("param").file_id);
    if (file === undefined) throw notFound();
    const text = await vault.open(file.sealed, filePlace(program.id, file.id));
    if ((await digestOf(text)) !== file.sha256)
      throw new Error(`payout file ${file.id} is not as it was written`);
    const { contentType, extension } = FORMAT_RULES[file.format];
    return c.body(text, 200, {
      "Content-Type": contentType,
      "Content-Disposition": `attachment; filename="${file.id}.${extension}"`,
      ETag: `"${file.sha256}"`,
      "Repr-Digest": `sha-256=:${hexToBase64(file.sha256)}:`,
    });
  });
};

export const registerPayoutFiles: Register = (app) => {
  registerCreate(app);
  registerReads(app);
  app.openapi(settle, async (c) => {
    const settlement = await settlePayoutFile(ctxOf(c), c.req.valid("param").file_id, c.req.valid("json"));
    return c.json(settlementToWire(settlement), 200);
  });
  app.openapi(cancel, async (c) => {
    const { file_id: fileId } = c.req.valid("param");
    const { file, items } = await voidPayoutFile(ctxOf(c), fileId, c.req.valid("json").reason);
    return c.json(fileDetailToWire(file, items), 200);
  });
};
