export { FAILPOINTS } from "../ports/failpoints.ts";
export { describeTransport } from "./transport-contract.ts";
