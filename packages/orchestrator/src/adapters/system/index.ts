export { diagnoseEnvironment } from "./diagnose-environment.ts";
export { diagnoseStateFolder } from "./diagnose-state-folder.ts";
export { freeSpaceOf } from "./free-space.ts";
export { systemClock } from "./system-clock.ts";
export { systemIdentity } from "./system-identity.ts";
