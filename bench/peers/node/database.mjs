// One pool of connections to PostgreSQL, whose address stands in the environment (PGHOST, PGUSER, PGDATABASE, PGPORT).
import pg from "pg";

const BIGINT = 20;
const TIMESTAMPTZ = 1184;

pg.types.setTypeParser(BIGINT, Number);
pg.types.setTypeParser(TIMESTAMPTZ, instant);

export const pool = new pg.Pool({
  min: 10,
  max: 10,
  options: "-c timezone=UTC",
});

// A named statement is prepared once per connection.
export async function rows(name, text, values, client = pool) {
  return (await client.query({ name, text, values })).rows;
}

export async function row(name, text, values, client = pool) {
  return (await rows(name, text, values, client))[0];
}

export async function inTransaction(work) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const found = await work(client);
    await client.query("COMMIT");
    client.release();
    return found;
  } catch (error) {
    client.release(error); // Closing the connection rolls back.
    throw error;
  }
}

// "2023-11-14 22:13:20.5+00" in ISO 8601. A Date would lose the microseconds, which cursors need.
export function instant(text) {
  const fraction = text.length > 22 ? text.slice(19, -3).padEnd(7, "0") : "";
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction}Z`;
}
