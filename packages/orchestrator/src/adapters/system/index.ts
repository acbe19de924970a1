export { freeSpaceOf } from "./free-space.ts";
export { systemClock } from "./system-clock.ts";
export { systemIdentity } from "./system-identity.ts";
