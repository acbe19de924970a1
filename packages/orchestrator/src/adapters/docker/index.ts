export { type EngineFacts, pingEngine } from "./check-engine.ts";
export { connectDocker, DEFAULT_DOCKER_HOST, type DockerAddress } from "./connect-docker.ts";
export { type DockerSubject, dockerDiagnosis } from "./diagnose-docker.ts";
export {
  type ContainerLimits,
  type ContainerTimes,
  DEFAULT_CONTAINER_LIMITS,
  DEFAULT_CONTAINER_TIMES,
  type DockerRuntimeOptions,
} from "./docker-options.ts";
export { dockerRuntime } from "./docker-runtime.ts";
export {
  type GatewayContainer,
  type GatewayContainerOptions,
  gatewayContainer,
} from "./gateway-container.ts";
export { BRIDGE_PORT } from "./job-file.ts";
export { jobImageId } from "./job-image.ts";
