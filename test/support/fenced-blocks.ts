// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A fenced block of a Markdown page. */
export interface FencedBlock {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** First word of the info string; empty when the block has none. */
  readonly language: string;
  /** The info string's other bare words: `json check-reply` has `check-reply`. */
  readonly words: readonly string[];
  /** The info string's settings: `sh norun="needs Docker"` has `norun`. */
  readonly settings: ReadonlyMap<string, string>;
  /** Content without the indentation of the fence; it ends with a line feed unless it is empty. */
  readonly text: string;
}

/** Groups: indentation, fence, info string, content. A block that is not closed ends with the page, as in CommonMark. */
const FENCE = /^( *)(`{3,})([^`\n]*)\n([^]*?)(?:^ *\2`*[ \t]*$|$(?![^]))/gm;
const WORD = /([\w-]+)=(?:"([^"]*)"|(\S*))|(\S+)/g;

/** The fenced blocks of a page, in their order. */
export function fencedBlocks(page: string): readonly FencedBlock[] {
  return [...page.matchAll(FENCE)].map(({ index, 1: indent = "", 3: info = "", 4: text = "" }) => {
    const words: string[] = [];
    const settings = new Map<string, string>();
    for (const [, key, quoted, plain, word] of info.matchAll(WORD)) {
      if (key !== undefined) settings.set(key, quoted ?? plain ?? "");
      else if (word !== undefined) words.push(word);
    }
    const [language = "", ...more] = words;
    return {
      line: page.slice(0, index).split("\n").length,
      language,
      words: more,
      settings,
      text: indent === "" ? text : text.replaceAll(new RegExp(`^ {1,${indent.length}}`, "gm"), ""),
    };
  });
}
