import { randomBytes } from "node:crypto";
import type { SqlClient } from "./sql-client.ts";

/** A login role as docs/gateway.md has operators make it, dropped at the end. */
export interface GatewayRole extends AsyncDisposable {
  /** The same database, by that role. */
  readonly url: string;
}

export async function gatewayRole(sql: SqlClient, url: string): Promise<GatewayRole> {
  const name = `speckit_test_${randomBytes(6).toString("hex")}`;
  await sql.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}' IN ROLE speckit_gateway`);
  const asRole = new URL(url);
  asRole.username = name;
  asRole.password = name;
  return {
    url: asRole.href,
    async [Symbol.asyncDispose]() {
      await sql.query(`DROP ROLE ${name}`);
    },
  };
}
