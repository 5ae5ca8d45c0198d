// Who owns a path: one vendor, the canonical API, or both, and then the caller's key decides.
import type { Dialect, DialectMethod, DialectRoute, Unserved } from "./dialect.ts";

/** What a dialect has at a path. */
export type Found =
  | {
      readonly kind: "route";
      readonly route: DialectRoute;
      readonly params: Readonly<Record<string, string>>;
    }
  | { readonly kind: "unserved"; readonly unserved: Unserved }
  | { readonly kind: "method"; readonly allowed: readonly DialectMethod[] }
  | { readonly kind: "missing" };

export interface Owner {
  readonly dialect: Dialect;
  readonly found: Found;
}

/** What the canonical API has at a path. */
export interface Canonical {
  /** The pattern that would answer, parameters as `:name`; undefined where the method is not served. */
  readonly served: string | undefined;
  /** Whether any method of the path is served; asked only where this one is not. */
  known(): boolean;
}

/** `canonical` stands for the rest of the edge. */
export type Claimant = Owner | "canonical";

type Segments = readonly string[];

const split = (path: string): Segments => path.split("/").slice(1);

const patterns = new Map<string, Segments>();

/** Patterns are few and every request is held against them. */
const segmentsOf = (pattern: string): Segments => {
  const known = patterns.get(pattern) ?? split(pattern);
  patterns.set(pattern, known);
  return known;
};

const isParam = (segment: string): boolean => /^[{:*]/.test(segment);

/** Literal segments before parameters: the lower text is the nearer pattern. */
const nearnessOf = (pattern: string): string =>
  segmentsOf(pattern)
    .map((segment) => (isParam(segment) ? "1" : "0"))
    .join("");

const fits = (pattern: string, given: Segments): boolean => {
  const wanted = segmentsOf(pattern);
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => segment === given[i] || (isParam(segment) && given[i] !== ""))
  );
};

/** The parameters of a path under a pattern, decoded; undefined where it is another path. */
export const paramsOf = (pattern: string, path: string): Record<string, string> | undefined => {
  const given = split(path);
  if (!fits(pattern, given)) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of segmentsOf(pattern).entries())
    if (isParam(segment)) params[segment.slice(1, -1)] = decodeURIComponent(given[i] ?? "");
  return params;
};

const nearest = <Item extends { readonly path: string }>(items: readonly Item[]): Item | undefined =>
  [...items].sort((left, right) => (nearnessOf(left.path) < nearnessOf(right.path) ? -1 : 1))[0];

const owns = (dialect: Dialect, path: string): boolean =>
  dialect.owns.some((claim) => {
    const root = claim.replace(/\/\*\*$/, "");
    return path === root || path.startsWith(`${root}/`) || path.startsWith(`${root}:`);
  });

type Place = { readonly method: string; readonly path: string; readonly atRoot: boolean };

const routesAt = ({ routes }: Dialect, { path, atRoot }: Place): readonly DialectRoute[] => {
  const given = split(path);
  return routes.filter((route) => !(atRoot && route.atRoot === false) && fits(route.path, given));
};

const servedAt = (dialect: Dialect, place: Place): Found | undefined => {
  const route = nearest(routesAt(dialect, place).filter(({ method }) => method === place.method));
  if (route === undefined) return undefined;
  return { kind: "route", route, params: paramsOf(route.path, place.path) ?? {} };
};

const unservedAt = ({ unserved }: Dialect, { method, path }: Place): Found => {
  const given = split(path);
  const found = unserved.find((one) => one.method === method && fits(one.path, given));
  return found === undefined ? { kind: "missing" } : { kind: "unserved", unserved: found };
};

const mistakenAt = (dialect: Dialect, place: Place): Found => {
  const allowed = routesAt(dialect, place).map(({ method }) => method);
  return allowed.length === 0 ? { kind: "missing" } : { kind: "method", allowed };
};

/** Below `/dialects/{vendor}`: that vendor, whatever stands there. */
export const ownerOfPrefix = (
  dialects: readonly Dialect[],
  method: string,
  path: string,
): Owner | undefined => {
  const match = /^\/dialects\/([^/]+)(\/.*)?$/.exec(path);
  const dialect = dialects.find(({ name }) => name === match?.[1]);
  if (dialect === undefined) return undefined;
  const place = { method, path: match?.[2] ?? "/", atRoot: false };
  const served = servedAt(dialect, place);
  if (served !== undefined) return { dialect, found: served };
  const unserved = unservedAt(dialect, place);
  return { dialect, found: unserved.kind === "missing" ? mistakenAt(dialect, place) : unserved };
};

const nearnessAt = (claimant: Claimant, canonical: Canonical): string => {
  if (claimant === "canonical") return nearnessOf(canonical.served ?? "");
  return claimant.found.kind === "route" ? nearnessOf(claimant.found.route.path) : "";
};

/** Of those who serve the request, the ones whose pattern is nearest to it. */
const serving = (dialects: readonly Dialect[], place: Place, canonical: Canonical): readonly Claimant[] => {
  const claimants: Claimant[] = canonical.served === undefined ? [] : ["canonical"];
  for (const dialect of dialects) {
    const found = servedAt(dialect, place);
    if (found !== undefined) claimants.push({ dialect, found });
  }
  if (claimants.length < 2) return claimants;
  const nearness = claimants.map((claimant) => nearnessAt(claimant, canonical));
  const best = [...nearness].sort()[0];
  return claimants.filter((_, i) => nearness[i] === best);
};

const holding = (dialects: readonly Dialect[], find: (dialect: Dialect) => Found): readonly Owner[] =>
  dialects
    .map((dialect) => ({ dialect, found: find(dialect) }))
    .filter(({ found }) => found.kind !== "missing");

/**
 * Who may answer a path at the root: who serves it; else who documents it, where the canonical API has no such path; else who has the path
 * for other methods; else whose ground it is. More than one: the key decides between them.
 */
export const claimantsOf = (
  dialects: readonly Dialect[],
  method: string,
  path: string,
  canonical: Canonical,
): readonly Claimant[] => {
  const place = { method, path, atRoot: true };
  const claimants = serving(dialects, place, canonical);
  if (claimants.length > 0) return claimants;
  const isKnown = canonical.known();
  const documenting = isKnown ? [] : holding(dialects, (dialect) => unservedAt(dialect, place));
  if (documenting.length > 0) return documenting;
  const mistaken = holding(dialects, (dialect) => mistakenAt(dialect, place));
  if (isKnown) return ["canonical", ...mistaken];
  if (mistaken.length > 0) return mistaken;
  const grounds = dialects.filter((dialect) => owns(dialect, path));
  if (grounds.length === 0) return ["canonical"];
  return grounds.map((dialect) => ({ dialect, found: { kind: "missing" } }));
};

/** Whom the key was minted for; without such a key the only one there is, or the canonical API. */
export const chosenBy = (claimants: readonly Claimant[], dialect: string | null): Claimant => {
  const minted = claimants.find((claimant) => claimant !== "canonical" && claimant.dialect.name === dialect);
  return minted ?? (claimants.length === 1 ? claimants[0] : undefined) ?? "canonical";
};
