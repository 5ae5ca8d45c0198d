// Signing secrets as Standard Webhooks writes them: `whsec_` and base64 of the key's bytes.

const PREFIX = "whsec_";

/** 24 to 64 bytes of chance. */
export const formatSecret = (bytes: Uint8Array): string => {
  if (bytes.length < 24 || bytes.length > 64) throw new Error("a signing secret has 24 to 64 bytes");
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `${PREFIX}${btoa(binary)}`;
};

export const secretBytes = (secret: string): Uint8Array<ArrayBuffer> => {
  if (!secret.startsWith(PREFIX)) throw new Error("not a signing secret");
  return Uint8Array.from(atob(secret.slice(PREFIX.length)), (char) => char.charCodeAt(0));
};
