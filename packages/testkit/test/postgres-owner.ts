/** A process that owns a private PostgreSQL, says its pid, and waits to be killed. */
import { startPrivatePostgres } from "../src/private-postgres.ts";

const server = await startPrivatePostgres();
console.log(server.pid);
setInterval(() => {}, 60_000);
