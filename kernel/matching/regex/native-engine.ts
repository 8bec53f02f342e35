// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { NATIVE_STEPS_PER_STEP } from "./meter.ts";
import type { RegexMatch, Search, WholeMatch } from "./search.ts";

/**
 * `test` and `find` by JavaScript's own engine, for a pattern that is proven to take at most `stepsPerChar`
 * steps.
 */
export function nativeSearch(source: string, flags: string, stepsPerChar: number, anchored: boolean): Search {
  const tester = new RegExp(source, flags);
  const finder = new RegExp(source, `g${flags}`);
  const cost = stepsPerChar / NATIVE_STEPS_PER_STEP;
  return {
    test(text, meter) {
      meter?.tick(1 + text.length * cost);
      return tester.test(text);
    },
    find(text, from, meter) {
      // V8 would try an anchored pattern at every remaining position; searching for a second match is the
      // most common call.
      if (anchored && from > 0) return null;
      meter?.tick(1 + Math.max(0, text.length - from) * cost);
      // `lastIndex` beyond the end could exceed the integers that V8 accepts.
      if (from > text.length) return null;
      finder.lastIndex = from;
      const match = finder.exec(text);
      return match === null ? null : { index: match.index, groups: match as unknown as RegexMatch["groups"] };
    },
  };
}

export function nativeMatches(source: string, flags: string, stepsPerChar: number): WholeMatch {
  const cost = stepsPerChar / NATIVE_STEPS_PER_STEP;
  if (!flags.includes("m")) {
    const whole = new RegExp(`^(?:${source})$`, flags);
    return (text, meter) => {
      meter?.tick(1 + text.length * cost);
      return whole.test(text);
    };
  }
  // With flag m, `^` and `$` match at lines.
  const whole = new RegExp(`(?:${source})(?![^])`, `y${flags}`);
  return (text, meter) => {
    meter?.tick(1 + text.length * cost);
    whole.lastIndex = 0;
    return whole.test(text);
  };
}
