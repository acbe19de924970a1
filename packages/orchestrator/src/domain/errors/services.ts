import type { ErrorCodeFacts } from "./error-code-facts.ts";

/** Of a deployment: its configuration, services, engine and gateway. */
export const SERVICE_CODES = {
  CONFIGURATION_INVALID: {
    class: "permanent",
    meaning: "A setting has a value that cannot be used.",
    remedy: "Correct the named variable; docs/configuration.md lists them all.",
  },
  DATABASE_UNAVAILABLE: {
    class: "transient",
    meaning: "PostgreSQL did not answer.",
    remedy: "Check that it runs and that DATABASE_URL is right; work goes on when it is back.",
  },
  GATEWAY_NOT_STARTED: {
    class: "transient",
    meaning: "The container that leads jobs to their model has ended, or does not serve.",
    remedy:
      "It is retried; its own words are in the message. docs/gateway.md says how to start one by hand.",
  },
  GATEWAY_TOO_OLD: {
    class: "transient",
    meaning: "The gateway on the engine has no socket for each attempt, as a job needs one.",
    remedy:
      "It is retried. Remove the gateway's container, so that a worker starts one of its own release, or start the newer one that docs/gateway.md tells of.",
  },
  BROKER_UNAVAILABLE: {
    class: "transient",
    meaning: "RabbitMQ did not answer or did not confirm.",
    remedy: "Check that it runs and that AMQP_URL is right; work goes on when it is back.",
  },
  ENGINE_UNAVAILABLE: {
    class: "transient",
    meaning: "The Docker engine did not answer.",
    remedy: "Check that it runs and that DOCKER_HOST names it; work goes on when it is back.",
  },
  ENGINE_FORBIDDEN: {
    class: "permanent",
    meaning: "The Docker engine's socket or certificates may not be used by this user.",
    remedy:
      "Add the user to the group `docker` and log in again, or give the container the socket's group; with TLS, check DOCKER_CERT_PATH.",
  },
  ENGINE_TOO_OLD: {
    class: "permanent",
    meaning: "The Docker engine speaks an older API than 1.41 (Docker 20.10).",
    remedy: "Upgrade Docker to 20.10 or newer.",
  },
  ENGINE_NO_SPACE: {
    class: "transient",
    meaning: "The Docker engine has no space left, or less than the configured floor.",
    remedy:
      "Free space on the engine's disk: `docker system df` shows what uses it, `docker image prune` removes images nobody uses.",
  },
  ENGINE_FAILED: {
    class: "transient",
    meaning: "The Docker engine refused something in a way that has no name yet.",
    remedy: "It is retried; the message has the engine's own words.",
  },
  IMAGE_MISSING: {
    class: "permanent",
    meaning:
      "The Docker engine does not have the job's or the gateway's image, and it could not be pulled.",
    remedy:
      "Build it with `npm run images`, or name another one (SPECKIT_JOB_IMAGE, SPECKIT_GATEWAY_IMAGE).",
  },
  IMAGE_UNUSABLE: {
    class: "permanent",
    meaning: "The job image lacks something that jobs need.",
    remedy:
      "Build it anew with `npm run images`; docs/job-image.md says what an own image must have.",
  },
  GATEWAY_UNREACHABLE: {
    class: "transient",
    meaning: "A job could not reach its gateway to ask for its start.",
    remedy: "It is retried; look at the gateway's container and its log.",
  },
  EGRESS_OPEN: {
    class: "permanent",
    meaning:
      "A job's container could reach something besides its gateway. Its agent was not started, and no model was called.",
    remedy:
      "Find out what gives it a network: the engine's configuration, a plugin, or something that changes containers; docs/security.md says how to look.",
  },
  EMBEDDED_DATABASE_UNSUPPORTED: {
    class: "permanent",
    meaning: "There are no embedded PostgreSQL binaries for this system.",
    remedy: "Set DATABASE_URL and AMQP_URL to services of your own.",
  },
  EMBEDDED_DATABASE_FAILED: {
    class: "permanent",
    meaning: "The embedded PostgreSQL server could not be started.",
    remedy: "Read postgres/server.log in the state folder, or set SPECKIT_HOME to another one.",
  },
  SERVICE_REFUSED: {
    class: "permanent",
    meaning: "PostgreSQL or RabbitMQ refused the configured user, database or virtual host.",
    remedy: "Correct the user, password, database or virtual host in the URL.",
  },
  DATABASE_TOO_NEW: {
    class: "permanent",
    meaning:
      "The database was migrated by a newer version, in a way that this one cannot work with.",
    remedy: "Update this program to the version of the others.",
  },
  TOPOLOGY_CONFLICT: {
    class: "permanent",
    meaning: "RabbitMQ has an exchange or queue of the same name with other settings.",
    remedy: "Delete the named queue once it is empty, or set another name prefix.",
  },
  INTERNAL_ERROR: {
    class: "transient",
    meaning: "An error nobody has named yet: a bug, or a fault outside.",
    remedy: "It is retried; please report it with the worker's log.",
  },
} as const satisfies Record<string, ErrorCodeFacts>;
