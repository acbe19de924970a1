#!/usr/bin/env node
import { askGateway } from "./ask-gateway.mjs";
import { openBridge } from "./bridge.mjs";

const usage = `speckit-bridge: from 127.0.0.1 in a job container to the gateway's socket
  speckit-bridge [--port PORT] [SOCKET]  bridges until it is ended; PORT defaults to 8787
  speckit-bridge --check [SOCKET]        asks the gateway through a bridge on a free port; exit code 0 when it answers
SOCKET defaults to /run/speckit-gateway/gateway.sock
`;

/** Longer than a gateway that is starting needs to answer one call. */
const withinMs = 5_000;

const args = process.argv.slice(2);
const isCheck = args[0] === "--check";
if (isCheck) args.shift();
const port = !isCheck && args[0] === "--port" ? Number(args.splice(0, 2)[1]) : 8787;
const [socketPath = "/run/speckit-gateway/gateway.sock", ...others] = args;

if (others.length > 0 || socketPath.startsWith("-") || !Number.isInteger(port)) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else if (isCheck) {
  process.exitCode = await check();
} else {
  await openBridge(port, socketPath);
  process.on("SIGTERM", () => process.exit(0));
}

async function check() {
  const bridge = await openBridge(0, socketPath);
  const { port: free } = /** @type {import("node:net").AddressInfo} */ (bridge.address());
  const status = await askGateway("", "GET", "/healthz", { port: free, withinMs }).catch(
    (error) => error.code ?? String(error),
  );
  bridge.close();
  const ok = status === 200 || status === 204;
  process.stdout.write(`${JSON.stringify({ ok, socketPath, answer: status })}\n`);
  return ok ? 0 : 1;
}
