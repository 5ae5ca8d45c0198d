// The currencies the simulated Stripe takes, and the steps that amounts in some of them must keep.

const SUPPORTED = new Set(
  (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf " +
    "clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils " +
    "inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk " +
    "mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp " +
    "sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw"
  ).split(" "),
);

export const isSupported = (currency: string): boolean => SUPPORTED.has(currency);

/** ISK and UGX go as two decimals that must be 00; three-decimal currencies end in 0. */
const STEPS: Record<string, number> = { isk: 100, ugx: 100, bhd: 10, jod: 10, kwd: 10, omr: 10, tnd: 10 };

export const stepOf = (currency: string): number => STEPS[currency] ?? 1;

const BY_COUNTRY: Record<string, string> = {
  AU: "aud",
  CA: "cad",
  CH: "chf",
  CZ: "czk",
  DK: "dkk",
  GB: "gbp",
  HU: "huf",
  JP: "jpy",
  NO: "nok",
  PL: "pln",
  RO: "ron",
  SE: "sek",
  US: "usd",
};

export const currencyOf = (country: string): string => BY_COUNTRY[country] ?? "eur";
