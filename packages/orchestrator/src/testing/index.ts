export { describeTransport } from "./transport-contract.ts";
