// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { GATEWAY_FUNCTIONS } from "../functions/added/functions.ts";
import { type FunctionType, functionType } from "./signatures.ts";

/**
 * What every function takes, as JSONata's documentation has it, and what it gives, more exactly than there: a `?` at the
 * end for what may give nothing, and no promise of a list where one item comes as itself.
 */
const SIGNATURES = `
  abs <n-:n>  ceil <n-:n>  floor <n-:n>  round <n-n?:n>  sqrt <n-:n>  power <n-n:n>  random <:n>
  sum <a<n>:n>  max <a<n>:n?>  min <a<n>:n?>  average <a<n>:n?>  count <a:n>
  number <(nsb)-:n>  formatNumber <n-so?:s>  formatBase <n-n?:s>  formatInteger <n-s:s>  parseInteger <s-s:n>
  string <x-b?:s>  length <s-:n>  lowercase <s-:s>  uppercase <s-:s>  trim <s-:s>  pad <s-ns?:s>
  substring <s-nn?:s>  substringBefore <s-s:s>  substringAfter <s-s:s>
  contains <s-(sf):b>  match <s-fn?:(ao)?>  replace <s-(sf)(sf)n?:s>  split <s-(sf)n?:a>  join <a<s>s?:s>
  base64encode <s-:s>  base64decode <s-:s>
  encodeUrl <s-:s>  encodeUrlComponent <s-:s>  decodeUrl <s-:s>  decodeUrlComponent <s-:s>
  boolean <x-:b>  not <x-:b>  exists <x:b>  type <x:s>
  now <s?s?:s>  millis <:n>  toMillis <s-s?:n>  fromMillis <n-s?s?:s>
  append <xx:x?>  distinct <x:x?>  reverse <a:a>  shuffle <a:a>  sort <af?:a>  zip <a+:a>
  keys <x-:x?>  lookup <x-s:x?>  spread <x-:x?>  merge <a<o>:o>  each <o-f:x?>  sift <o-f?:x?>
  map <af:x?>  filter <af:x?>  single <af?:x?>  reduce <afj?:x?>
  clone <(oa)-:x>  error <s?:x>  assert <bs?:x?>
`;

/** By name without the `$`. */
export const FUNCTION_TYPES: ReadonlyMap<string, FunctionType> = new Map([
  ...[...SIGNATURES.matchAll(/(\w+) (<\S+>)/g)].map(
    ([, name = "", signature = ""]) => [name, functionType(signature)] as const,
  ),
  ...GATEWAY_FUNCTIONS.map(({ name, signature }) => [name, functionType(signature)] as const),
]);

/** These give what they give also when their first argument is absent; all others give nothing then. */
export const TAKES_ABSENT: ReadonlySet<string> = new Set([
  "exists",
  "count",
  "append",
  "zip",
  "assert",
  "error",
]);

/** What is not the same for the same request. */
export const VARYING: ReadonlySet<string> = new Set(["now", "millis", "random", "shuffle"]);
