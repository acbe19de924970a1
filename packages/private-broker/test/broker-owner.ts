/** A process that owns a private broker, says where it is, and waits to be killed. */
import { startPrivateBroker } from "../src/index.ts";

const broker = await startPrivateBroker();
console.log(broker.folder);
setInterval(() => {}, 60_000);
