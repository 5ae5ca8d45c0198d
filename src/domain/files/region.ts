// Which countries' accounts a SEPA credit transfer reaches, and where both ends' addresses must go with it.

/** European Economic Area, by the IBAN's country. */
const EEA: ReadonlySet<string> = new Set(
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(" "),
);

/** In the SEPA schemes without being in the EEA; their Crown dependencies and territories use these countries' IBANs or their own. */
const SEPA_BEYOND_EEA: ReadonlySet<string> = new Set("AD AL CH GB GI MC MD ME MK RS SM VA".split(" "));

export const isEea = (country: string): boolean => EEA.has(country);
export const isSepa = (country: string): boolean => EEA.has(country) || SEPA_BEYOND_EEA.has(country);

export const countryOfIban = (iban: string): string => iban.slice(0, 2);
