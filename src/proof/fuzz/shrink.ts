/** Makes a case that shows a fault smaller for as long as it goes on showing it. */
import type { Case, Payload, Piece, Step } from "./steps.ts";

/**
 * @param isBad plays a case and tells whether it still shows the fault
 * @param triesMax how often it may be played
 * @param msMax after this long it is left as it is
 */
export async function shrink(
  given: Case,
  isBad: (candidate: Case) => Promise<boolean>,
  triesMax: number,
  msMax: number,
): Promise<Case> {
  let best = given;
  let tries = 0;
  const until = performance.now() + msMax;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(best)) {
      if (tries++ >= triesMax || performance.now() > until) return best;
      if (!(await isBad(candidate))) continue;
      best = candidate;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** Cases that are a little smaller, those that leave out most first. */
function* smaller(given: Case): Generator<Case> {
  const { steps } = given;
  let size = steps.length < 2 ? 0 : Math.ceil(steps.length / 2);
  while (size >= 1) {
    for (let from = 0; from < steps.length; from += size) {
      yield { ...given, steps: [...steps.slice(0, from), ...steps.slice(from + size)] };
    }
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  for (const [index, step] of steps.entries()) {
    for (const simpler of simplerSteps(step)) yield { ...given, steps: steps.with(index, simpler) };
  }
}

function* simplerSteps(step: Step): Generator<Step> {
  if (step.kind === "request") {
    for (let index = 0; index < step.headers.length; index++)
      yield { ...step, headers: step.headers.toSpliced(index, 1) };
    if (step.body !== null) for (const body of simplerPayloads(step.body)) yield { ...step, body };
  }
  if (step.kind === "raw") {
    for (const [index, part] of step.parts.entries()) {
      if (step.parts.length > 1) yield { ...step, parts: step.parts.toSpliced(index, 1) };
      for (const simpler of simplerPayloads(part)) yield { ...step, parts: step.parts.with(index, simpler) };
    }
  }
}

function* simplerPayloads(payload: Payload): Generator<Payload> {
  for (const [index, piece] of payload.entries()) {
    if (payload.length > 1) yield payload.toSpliced(index, 1);
    for (const simpler of simplerPieces(piece)) yield payload.with(index, simpler);
  }
}

function* simplerPieces(piece: Piece): Generator<Piece> {
  if (typeof piece === "string") {
    for (const text of shorter(piece)) yield text;
  } else if ("base64" in piece) {
    const bytes = Buffer.from(piece.base64, "base64").toString("latin1");
    for (const text of shorter(bytes)) yield { base64: Buffer.from(text, "latin1").toString("base64") };
  } else if (piece.times > 1) {
    yield { ...piece, times: Math.floor(piece.times / 2) };
  }
}

/** Without one half, one quarter … of it, down to eight characters at a time. */
function* shorter(text: string): Generator<string> {
  for (let size = Math.ceil(text.length / 2); size >= 8; size = Math.ceil(size / 2)) {
    for (let from = 0; from < text.length; from += size) yield text.slice(0, from) + text.slice(from + size);
  }
}
