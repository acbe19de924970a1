export { type AttemptTokenSigner, attemptTokenSigner } from "./attempt-token.ts";
export { createGateway, type RunningGateway } from "./create-gateway.ts";
export { type RemoteEgressOptions, remoteEgress } from "./egress/remote-egress.ts";
export type {
  GatewayOptions,
  GatewayProxy,
  GatewayUpstream,
  GatewayUpstreams,
} from "./gateway-options.ts";
export type { ModelPrice, ModelPrices } from "./price-of.ts";
export { type RemoteGatewayOptions, remoteModelGateway } from "./remote-gateway.ts";
export { type ServedGateway, type ServingOptions, serveGateway } from "./serve-gateway.ts";
