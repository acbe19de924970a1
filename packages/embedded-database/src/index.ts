export {
  EmbeddedDatabaseError,
  type EmbeddedDatabaseErrorCode,
} from "./embedded-database-error.ts";
export {
  type EmbeddedDatabaseLook,
  lookAtEmbeddedDatabase,
} from "./look-at-embedded-database.ts";
export {
  type EmbeddedDatabase,
  type EmbeddedDatabaseOptions,
  openEmbeddedDatabase,
} from "./open-embedded-database.ts";
