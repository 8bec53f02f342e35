// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A step of a page that a reader follows: a file to write, commands to run, or a command with its result. */
export type PageStep =
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "commands"; readonly text: string }
  | { readonly kind: "result"; readonly command: string; readonly result: string };

/**
 * The steps of a page in their order. A fence under a comment `<!-- test: PATH -->` is a file, a fence `sh` is commands, and
 * each line of a fence `console` that begins with `$ ` is a command whose result is in the lines below it.
 * @throws {Error} for a fence that is none of these.
 */
export function stepsOf(page: string): readonly PageStep[] {
  const fences = page.matchAll(/(?:^<!-- test: (\S+) -->\n)?^```(.*)\n([^]*?)^```$/gm);
  return [...fences].flatMap(([, path, language = "", text = ""]): readonly PageStep[] => {
    if (path !== undefined) return [{ kind: "file", path, text }];
    if (language === "sh") return [{ kind: "commands", text }];
    if (language !== "console")
      throw new Error(`The page has a fence ${language} that is not a step:\n${text}`);
    return text
      .split(/^\$ /m)
      .slice(1)
      .map((shown) => {
        const [command = "", ...result] = shown.split("\n");
        return { kind: "result", command, result: result.join("\n").trimEnd() };
      });
  });
}
