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
  /** Whether any method of the path is served. */
  readonly known: boolean;
}

/** `canonical` stands for the rest of the edge. */
export type Claimant = Owner | "canonical";

const segmentsOf = (path: string): readonly string[] => path.split("/").slice(1);

const isParam = (segment: string): boolean => /^[{:*]/.test(segment);

/** Literal segments before parameters: the lower text is the nearer pattern. */
const nearnessOf = (pattern: string): string =>
  segmentsOf(pattern)
    .map((segment) => (isParam(segment) ? "1" : "0"))
    .join("");

/** The parameters of a path under a pattern, decoded; undefined where it is another path. */
export const paramsOf = (pattern: string, path: string): Record<string, string> | undefined => {
  const [wanted, given] = [segmentsOf(pattern), segmentsOf(path)];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const text = given[i] ?? "";
    if (isParam(segment)) {
      if (text === "") return undefined;
      params[segment.slice(1, -1)] = decodeURIComponent(text);
    } else if (segment !== text) return undefined;
  }
  return params;
};

const nearest = <Item extends { readonly path: string }>(items: readonly Item[]): Item | undefined =>
  [...items].sort((left, right) => (nearnessOf(left.path) < nearnessOf(right.path) ? -1 : 1))[0];

const owns = (dialect: Dialect, path: string): boolean =>
  dialect.owns.some((claim) => {
    const root = claim.replace(/\/\*\*$/, "");
    return path === root || path.startsWith(`${root}/`) || path.startsWith(`${root}:`);
  });

/** What the vendor itself would answer to, whoever else has the path. */
export const findOwn = (dialect: Dialect, method: string, path: string, atRoot = false): Found => {
  const routes = dialect.routes.filter(
    (route) => !(atRoot && route.atRoot === false) && paramsOf(route.path, path) !== undefined,
  );
  const route = nearest(routes.filter((one) => one.method === method));
  if (route !== undefined) return { kind: "route", route, params: paramsOf(route.path, path) ?? {} };
  const unserved = dialect.unserved.find(
    (one) => one.method === method && paramsOf(one.path, path) !== undefined,
  );
  if (unserved !== undefined) return { kind: "unserved", unserved };
  return routes.length === 0
    ? { kind: "missing" }
    : { kind: "method", allowed: routes.map((one) => one.method) };
};

/** Below `/dialects/{vendor}`: that vendor, whatever stands there. */
export const ownerOfPrefix = (
  dialects: readonly Dialect[],
  method: string,
  path: string,
): Owner | undefined => {
  const match = /^\/dialects\/([^/]+)(\/.*)?$/.exec(path);
  const dialect = dialects.find(({ name }) => name === match?.[1]);
  return dialect === undefined ? undefined : { dialect, found: findOwn(dialect, method, match?.[2] ?? "/") };
};

const ofKind = (owners: readonly Owner[], kind: Found["kind"]): readonly Owner[] =>
  owners.filter(({ found }) => found.kind === kind);

const patternOf = (claimant: Claimant, canonical: Canonical): string => {
  if (claimant === "canonical") return canonical.served ?? "";
  return claimant.found.kind === "route" ? claimant.found.route.path : "";
};

/** Of those who serve the request, the ones whose pattern is nearest to it. */
const nearestServing = (owners: readonly Owner[], canonical: Canonical): readonly Claimant[] => {
  const serving: readonly Claimant[] = [
    ...(canonical.served === undefined ? [] : (["canonical"] as const)),
    ...ofKind(owners, "route"),
  ];
  const nearness = serving.map((claimant) => nearnessOf(patternOf(claimant, canonical)));
  const best = [...nearness].sort()[0];
  return serving.filter((_, i) => nearness[i] === best);
};

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
  const owners = dialects.map((dialect) => ({ dialect, found: findOwn(dialect, method, path, true) }));
  const serving = nearestServing(owners, canonical);
  if (serving.length > 0) return serving;
  const documenting = canonical.known ? [] : ofKind(owners, "unserved");
  if (documenting.length > 0) return documenting;
  const mistaken = ofKind(owners, "method");
  if (canonical.known) return ["canonical", ...mistaken];
  if (mistaken.length > 0) return mistaken;
  const grounds = owners.filter(({ dialect }) => owns(dialect, path));
  return grounds.length > 0 ? grounds : ["canonical"];
};

/** Whom the key was minted for; without such a key the only one there is, or the canonical API. */
export const chosenBy = (claimants: readonly Claimant[], dialect: string | null): Claimant => {
  const minted = claimants.find((claimant) => claimant !== "canonical" && claimant.dialect.name === dialect);
  return minted ?? (claimants.length === 1 ? claimants[0] : undefined) ?? "canonical";
};
