export {
  type MemoryDatabase,
  type MemoryDatabaseOptions,
  memoryDatabase,
} from "./run-repository/memory-database.ts";
export { memoryRunRepository } from "./run-repository/memory-run-repository.ts";
export type { AttemptRow, RunRow, RunRows } from "./run-repository/rows.ts";
export {
  type BrokerConnection,
  type BrokerDelivery,
  type BrokerListener,
  type BrokerMessage,
  type MemoryBroker,
  memoryBroker,
} from "./broker/memory-broker.ts";
export { type MemoryTransportOptions, openMemoryTransport } from "./broker/memory-transport.ts";
export { realTimers, type Timers } from "./timers.ts";
