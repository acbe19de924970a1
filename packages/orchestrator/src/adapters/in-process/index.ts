export {
  type InProcessTransportOptions,
  openInProcessTransport,
} from "./open-in-process-transport.ts";
