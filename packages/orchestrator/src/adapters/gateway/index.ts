export { createGateway, type RunningGateway } from "./create-gateway.ts";
export type { GatewayOptions, GatewayUpstream } from "./gateway-options.ts";
export type { ModelPrice, ModelPrices } from "./price-of.ts";
