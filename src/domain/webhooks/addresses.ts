// Which internet addresses are public: everything private, shared, reserved, or a way of writing another address is not.

type Range = readonly [first: string, bits: number];

/** IANA's special-purpose registry, multicast and what is not assigned. */
const CLOSED_V4: readonly Range[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Global unicast is 2000::/3; in it stand Teredo and other protocol assignments, documentation, and 6to4. */
const OPEN_V6: Range = ["2000::", 3];
const CLOSED_V6: readonly Range[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const isV4 = (text: string): boolean => {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1) ?? [];
  return parts.length === 4 && parts.every((part) => Number(part) <= 255);
};

const bitsOfV4 = (text: string): bigint =>
  text.split(".").reduce((value, part) => (value << 8n) | BigInt(Number(part)), 0n);

/** The URL parser knows every spelling of IPv6 and writes one of them. */
const writtenV6 = (text: string): string | undefined => {
  const url = `http://[${text}]/`;
  return /^[0-9A-Fa-f:.]{2,45}$/.test(text) && URL.canParse(url)
    ? new URL(url).hostname.slice(1, -1)
    : undefined;
};

const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));

const bitsOfV6 = (written: string): bigint => {
  const [head = "", tail] = written.split("::");
  const [left, right] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
};

const isIn = (value: bigint, size: bigint, first: bigint, bits: number): boolean => {
  const rest = size - BigInt(bits);
  return value >> rest === first >> rest;
};

/** False also for what is no address at all. */
export const isPublicAddress = (text: string): boolean => {
  if (isV4(text)) return !CLOSED_V4.some(([first, bits]) => isIn(bitsOfV4(text), 32n, bitsOfV4(first), bits));
  const written = writtenV6(text);
  if (written === undefined) return false;
  const within = ([first, bits]: Range): boolean => isIn(bitsOfV6(written), 128n, bitsOfV6(first), bits);
  return within(OPEN_V6) && !CLOSED_V6.some(within);
};
