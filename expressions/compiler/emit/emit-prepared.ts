// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constantOf, constantsOf } from "../../syntax/constants.ts";
import { type FastCall, orAbsent } from "./fast-call.ts";
import { any, type Code } from "../place.ts";

/** Longest text, in UTF-16 units, for which a prepared function takes no longer than a few steps. */
const PREPARED_LENGTH = 1_024;

/**
 * Fast path of a call whose arguments after the first are constants: the function compiles them once, at
 * compile time.
 */
export function emitPrepared(call: FastCall): Code | undefined {
  const { emitter } = call;
  const [first, ...others] = call.values;
  const { prepare } = call.callee;
  const constants = others.map((node) => constantOf(node) ?? constantsOf(node));
  if (first === undefined || prepare === undefined || constants.length === 0 || constants.includes(undefined))
    return undefined;
  let ready: ReturnType<typeof prepare>;
  try {
    ready = prepare(constants);
  } catch {
    // The call fails with the reason when it is evaluated.
    return undefined;
  }
  if (ready === undefined) return undefined;
  const [text, set] = call.hold(first);
  const slowly = call.slowly(text, ...constants.map((constant) => emitter.constant(constant)));
  const known = `typeof ${text}==="string"&&${text}.length<=${PREPARED_LENGTH}?${emitter.constant(ready)}(${text}):${slowly}`;
  return any(`(${set},${orAbsent(text, known)})`);
}
