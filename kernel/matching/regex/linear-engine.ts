// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CaptureMachine } from "./capture-machine.ts";
import type { Program } from "./program.ts";
import type { Search, WholeMatch } from "./search.ts";
import { SetMachine } from "./set-machine.ts";

/** `test` and `find` by automata. The machines are created on first use, and keep their tables. */
export function linearSearch(program: Program): Search {
  let tester: SetMachine | undefined;
  let finder: CaptureMachine | undefined;
  return {
    test(text, meter) {
      tester ??= new SetMachine(program, false);
      return tester.search(text, 0, meter) >= 0;
    },
    find(text, from, meter) {
      if (from > text.length) return null;
      tester ??= new SetMachine(program, false);
      const start = tester.search(text, from, meter);
      if (start < 0) return null;
      finder ??= new CaptureMachine(program);
      const slots = finder.find(text, start, meter);
      if (slots === undefined) return null;
      const groups: [string, ...(string | undefined)[]] = [text.slice(slots[0], slots[1])];
      for (let slot = 2; slot < slots.length; slot += 2)
        groups.push(slots[slot] === -1 ? undefined : text.slice(slots[slot], slots[slot + 1]));
      return { index: slots[0] as number, groups };
    },
  };
}

export function linearMatches(program: Program): WholeMatch {
  let matcher: SetMachine | undefined;
  return (text, meter) => {
    matcher ??= new SetMachine(program, true);
    return matcher.search(text, 0, meter) >= 0;
  };
}
