// Whether D1 answers at all.

export const pingDatabase = async (db: D1Database): Promise<void> => {
  await db.prepare("SELECT 1").first();
};
