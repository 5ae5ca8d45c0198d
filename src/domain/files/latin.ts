// Writes any text in the characters that every SEPA bank takes: a-z A-Z 0-9 / - ? : ( ) . , ' + and the space.

const ALLOWED = /^[a-zA-Z0-9/\-?:().,'+ ]$/;

/**
 * The scheme follows the best practices of EPC217-08: a letter loses its marks (ä is a, é is e), Greek and Cyrillic are written letter
 * by letter (ELOT 743, Bulgarian), a symbol without a likeness becomes a full stop. Ligatures and ß keep both their letters.
 */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
  ŋ: "n",
  ŧ: "t",
  ĸ: "k",
  ə: "e",
  α: "a",
  β: "v",
  γ: "g",
  δ: "d",
  ε: "e",
  ζ: "z",
  η: "i",
  θ: "th",
  ι: "i",
  κ: "k",
  λ: "l",
  μ: "m",
  ν: "n",
  ξ: "x",
  ο: "o",
  π: "p",
  ρ: "r",
  σ: "s",
  ς: "s",
  τ: "t",
  υ: "y",
  φ: "f",
  χ: "ch",
  ψ: "ps",
  ω: "o",
  а: "a",
  б: "b",
  в: "v",
  г: "g",
  ґ: "g",
  ѓ: "g",
  д: "d",
  ђ: "dj",
  е: "e",
  ё: "e",
  є: "ye",
  ж: "zh",
  з: "z",
  ѕ: "dz",
  и: "i",
  і: "i",
  ї: "yi",
  й: "y",
  ј: "j",
  к: "k",
  ќ: "k",
  л: "l",
  љ: "lj",
  м: "m",
  н: "n",
  њ: "nj",
  о: "o",
  п: "p",
  р: "r",
  с: "s",
  т: "t",
  ћ: "c",
  у: "u",
  ў: "u",
  ф: "f",
  х: "h",
  ц: "ts",
  ч: "ch",
  џ: "dz",
  ш: "sh",
  щ: "sht",
  ъ: "a",
  ы: "y",
  ь: "y",
  э: "e",
  ю: "yu",
  я: "ya",
};

const SYMBOLS: Readonly<Record<string, string>> = {
  "&": "+",
  _: "-",
  "–": "-",
  "—": "-",
  "‐": "-",
  "‑": "-",
  "−": "-",
  ";": ",",
  '"': "'",
  "`": "'",
  "´": "'",
  "‘": "'",
  "’": "'",
  ʼ: "'",
  "“": "'",
  "”": "'",
  "„": "'",
  "«": "'",
  "»": "'",
  "[": "(",
  "{": "(",
  "<": "(",
  "]": ")",
  "}": ")",
  ">": ")",
  "\\": "/",
  "|": "/",
  "@": "(at)",
  "€": "EUR",
};

const OTHER = ".";

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const known = (char: string): string | undefined => {
  if (ALLOWED.test(char)) return char;
  const symbol = SYMBOLS[char] ?? LETTERS[char];
  if (symbol !== undefined) return symbol;
  const small = char.toLowerCase();
  const letters = small === char ? undefined : LETTERS[small];
  return letters === undefined ? undefined : capitalized(letters);
};

/** undefined for a letter or digit of a script that this scheme does not write. */
const latinOf = (char: string): string | undefined => {
  const direct = known(char);
  if (direct !== undefined) return direct;
  if (/\s/u.test(char)) return " ";
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{M}]/u.test(char)) return "";
  const parts = [...char.normalize("NFKD")].filter((part) => !/\p{M}/u.test(part));
  if (parts.length > 0 && parts.join("") !== char) {
    const written = parts.map((part) => known(part) ?? (/[\p{L}\p{N}]/u.test(part) ? undefined : OTHER));
    return written.includes(undefined) ? undefined : written.join("");
  }
  return /[\p{L}\p{N}]/u.test(char) ? undefined : OTHER;
};

/** Slashes at an end, or two of them, are control marks in older bank formats. */
const tidy = (text: string): string =>
  text
    .replace(/ +/g, " ")
    .replace(/\/{2,}/g, "/")
    .replace(/^[/ ]+|[/ ]+$/g, "");

const hasWord = (text: string): boolean => /[a-zA-Z0-9]/.test(text);

/** Letters of a script that cannot be written become full stops; good enough for a text, not for a name. */
export const toLatin = (text: string, max: number): string =>
  tidy(tidy([...text.normalize("NFC")].map((char) => latinOf(char) ?? OTHER).join("")).slice(0, max));

/** The text in Latin, or undefined where a letter of it cannot be written, or nothing is left: a bank compares names. */
export const nameInLatin = (text: string, max: number): string | undefined => {
  if ([...text.normalize("NFC")].some((char) => latinOf(char) === undefined)) return undefined;
  const written = toLatin(text, max);
  return hasWord(written) ? written : undefined;
};
