// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constantOf, constantsOf } from "../../syntax/constants.ts";
import { type FastCall, orAbsent } from "./fast-call.ts";
import { any, type Code } from "../place.ts";

/** Longest text for which a function that is prepared takes no longer than a few steps. */
const PREPARED_LENGTH = 1_024;

/** A call whose arguments after the first are constants, which the function compiles when the code is written. */
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
    // The call fails with the reason where it is evaluated.
    return undefined;
  }
  if (ready === undefined) return undefined;
  const [text, set] = call.hold(first);
  const slowly = call.slowly(text, ...constants.map((constant) => emitter.constant(constant)));
  const known = `typeof ${text}==="string"&&${text}.length<=${PREPARED_LENGTH}?${emitter.constant(ready)}(${text}):${slowly}`;
  return any(`(${set},${orAbsent(text, known)})`);
}
