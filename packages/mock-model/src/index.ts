export { type Answer, errorAnswer, type StreamEvent } from "./protocol/answer.ts";
export { type Conversation, readConversation } from "./protocol/conversation.ts";
export { type Tools, toolsOf } from "./protocol/tools.ts";
export { message, type OutputItem, turn, USAGE_PER_CALL } from "./protocol/turn.ts";
export { Complaint, type ModelRequest, type Scenario } from "./scenario.ts";
export { failures } from "./scenarios/failures.ts";
export { findScenario } from "./scenarios/find-scenario.ts";
export { firstRequests } from "./scenarios/ok.ts";
export { QUESTIONS } from "./speckit/questions.ts";
export {
  type MockModel,
  type MockModelOptions,
  type Provider,
  type RecordedRequest,
  startMockModel,
} from "./start-mock-model.ts";
