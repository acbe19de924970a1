export { secretlintScanner } from "./secretlint-scanner.ts";
