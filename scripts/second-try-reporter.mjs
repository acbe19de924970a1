/**
 * Lists the tests that passed only when they were tried again, each with what its first try said: such a test is red on
 * a machine that is a little slower, or has found a race that is seldom lost.
 */
export default class SecondTryReporter {
  #tests = [];

  onTestCaseResult(test) {
    const { retryCount = 0 } = test.diagnostic() ?? {};
    if (retryCount > 0 && test.result().state === "passed") this.#tests.push(test);
  }

  onTestRunEnd() {
    if (this.#tests.length === 0) return;
    console.log(`\n${this.#tests.length} passed only at the second try:`);
    for (const test of this.#tests) {
      console.log(`  ${test.module.relativeModuleId} > ${test.fullName}`);
      for (const { message } of test.result().errors ?? []) {
        console.log(message.replace(/^/gm, "    "));
      }
    }
  }
}
