// Schemas of text on the wire: names, ids of others, notes, addresses, countries. What looks alike or hides is refused.
import { z } from "@hono/zod-openapi";

/** Control, format (zero-width, bidi, tags), broken and otherwise invisible characters. */
const INVISIBLE =
  /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\u034F|\u115F|\u1160|\u17B4|\u17B5|\u3164|\uFFA0|\uFFFE|\uFFFF/u;
/** Joiners belong to the spelling of several scripts and to emoji. */
const ALLOWED_IN_FREE_TEXT = /[\n\r\t\u200C\u200D]/g;
const STACKED_MARKS = /\p{M}{11,}/u;
const EMAIL =
  /^[A-Za-z0-9!#$%&*+\-/=?^_{|}~]+(?:\.[A-Za-z0-9!#$%&*+\-/=?^_{|}~]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

const isVisible = (text: string): boolean => !INVISIBLE.test(text);
const isCalm = (text: string): boolean => !STACKED_MARKS.test(text);
const isTrimmed = (text: string): boolean => text.trim() === text;

const NO_INVISIBLE = "must not hold control, zero-width or direction characters";
const NO_STACKS = "must not stack more than ten combining marks";

/** One line for people, 1 to `max` characters (UTF-16). */
export const lineText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(isVisible, NO_INVISIBLE)
    .refine(isCalm, NO_STACKS)
    .refine((text) => text.trim() !== "", "must not be blank");

export const nameText = lineText(200).openapi({ example: "Jane Doe" });

/** Notes and reasons: lines are allowed. */
export const noteText = z
  .string()
  .min(1)
  .max(2_000)
  .refine((text) => isVisible(text.replaceAll(ALLOWED_IN_FREE_TEXT, "")), NO_INVISIBLE)
  .refine(isCalm, NO_STACKS)
  .refine((text) => text.trim() !== "", "must not be blank");

/** An id of the caller's own system: two that look alike must be alike, so composed (NFC) and without hidden characters. */
export const externalId = z
  .string()
  .min(1)
  .max(255)
  .refine(isVisible, NO_INVISIBLE)
  .refine(isTrimmed, "must not start or end with a space")
  .refine((text) => text.normalize("NFC") === text, "must be in Unicode normalisation form C")
  .openapi({ example: "order_1001" });

/** The reference of a payment in another system: a bank reference, a transfer's id. */
export const externalRef = lineText(255).refine(isTrimmed, "must not start or end with a space");

const isEmail = (text: string): boolean => EMAIL.test(text) && text.indexOf("@") <= 64;

/** One address, ASCII, without quotes, comments or lists. */
export const emailText = z
  .string()
  .max(254)
  .refine(isEmail, "must be one e-mail address")
  .openapi({ format: "email", example: "jane@example.com" });

/** ISO 3166-1 alpha-2, officially assigned. */
export const COUNTRY_CODES: ReadonlySet<string> = new Set(
  (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT " +
    "MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG " +
    "UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
  ).split(" "),
);

export const countryCode = z
  .string()
  .refine((code) => COUNTRY_CODES.has(code), "must be an ISO 3166-1 alpha-2 code in capitals")
  .openapi({ example: "DE" });

/** An https address that a browser is sent to; where the Worker itself calls it, the operation checks the host too. */
export const webUrl = z
  .string()
  .max(2_048)
  .refine(
    (text) => isVisible(text) && URL.canParse(text) && new URL(text).protocol === "https:",
    "must be an https URL",
  )
  .refine((text) => !URL.canParse(text) || new URL(text).username === "", "must not hold a user name")
  .openapi({ format: "uri", example: "https://example.com/done" });
