export {
  LOG_LEVELS,
  type LogLevel,
  type WinstonLoggerOptions,
  winstonLogger,
} from "./winston-logger.ts";
