// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { purserCommand } from "../../cli/main.ts";
import { filesEndingIn, readText } from "../support/documentation.ts";
import { faultOfCommand, purserCommands } from "./command-lines.ts";

describe("the command lines of the documentation", () => {
  const program = purserCommand();

  it("name commands and flags that the program has", () => {
    const all = filesEndingIn(".md").flatMap((path) =>
      purserCommands(readText(path)).map((words) => ({ path, words })),
    );
    assert.ok(all.length > 60, `only ${all.length} command lines were found`);
    assert.deepEqual(
      all.flatMap(({ path, words }) => {
        const fault = faultOfCommand(program, words);
        return fault === undefined ? [] : [`${path}: ${fault}: purser ${words.join(" ")}`];
      }),
      [],
    );
  });

  it("are found in every place, with quotes, comments, pipes and several lines", () => {
    const page = [
      "Run `purser validate mesh/` or `npx purser test --nope`.",
      "```sh",
      "FOO=1 purser run -c mesh/ \\",
      "  --nothing 'a b; purser x' # purser y",
      'echo purser z | purser explain --request "GET http://a/" > out; purser nope',
      "```",
    ].join("\n");
    const commands = purserCommands(page);
    assert.deepEqual(
      commands.map((words) => [words[0], faultOfCommand(program, words)]),
      [
        ["validate", undefined],
        ["test", "purser test has no --nope"],
        ["run", "purser run has no --nothing"],
        ["explain", undefined],
        ["nope", "purser has no command nope"],
      ],
    );
    assert.deepEqual(commands[2], ["run", "-c", "mesh/", "--nothing", "a b; purser x"]);
  });
});
