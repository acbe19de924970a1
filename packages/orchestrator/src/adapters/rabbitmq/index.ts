export { DEAD_HEADERS } from "./dead-letter.ts";
export { type DeadLetter, type DeadLetters, openDeadLetters } from "./dead-letters.ts";
export {
  openRabbitTransport,
  type RabbitTransport,
  type RabbitTransportOptions,
} from "./open-rabbit-transport.ts";
export {
  openRunRequestPublisher,
  type RunRequestPublisher,
  type RunRequestPublisherOptions,
} from "./run-request-publisher.ts";
export { engineTopologyOf, namesOf, ROUTING_KEYS, type Topology, topologyOf } from "./topology.ts";
