// Vendors whose documented calls are answered as their own documents say.
export const DIALECTS = ["affihub", "affonso", "loop", "partnero", "goaffpro"] as const;
export type DialectName = (typeof DIALECTS)[number];
