export { freePort } from "./free-port.ts";
export { type GuardedFolder, guardedFolder } from "./guarded-folder.ts";
export { type GuardedProcess, startGuarded } from "./guarded-process.ts";
export {
  type PrivateBroker,
  PrivateBrokerError,
  type PrivateBrokerOptions,
  startPrivateBroker,
} from "./private-broker.ts";
export { folderOfQuickDisk } from "./quick-disk.ts";
export { waitForPort } from "./wait-for-port.ts";
