/** `npm run verify`: what `npm test` does, on a machine that is not to be changed (exit 78 if something is missing). */
process.env.SPECKIT_TEST_PROVISION = "0";
await import("./test.mjs");
