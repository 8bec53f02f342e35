// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Messages for the codes that JSONata's functions throw without a message. */
const MESSAGES: Readonly<Record<string, string>> = {
  D1001: "a number is out of range",
  D3001: "a number that is infinite cannot be written as text",
  D3030: "the value cannot be read as a number",
  D3060: "$sqrt cannot take a negative number",
  D3061: "$power gave a number that is out of range, or none",
  D3070: "$sort without a function takes only numbers, or only strings",
  D3080: "the picture of $formatNumber has more than two parts",
  D3081: "a part of the picture of $formatNumber has more than one decimal separator",
  D3082: "a part of the picture of $formatNumber has more than one percent sign",
  D3083: "a part of the picture of $formatNumber has more than one per-mille sign",
  D3084: "a part of the picture of $formatNumber has both a percent and a per-mille sign",
  D3085: "a part of the picture of $formatNumber has no place for a digit",
  D3086: "a part of the picture of $formatNumber has a passive character between active ones",
  D3087: "a grouping separator of the picture of $formatNumber stands next to the decimal separator",
  D3088: "the whole part of the picture of $formatNumber ends with a grouping separator",
  D3089: "a part of the picture of $formatNumber has two grouping separators in a row",
  D3090: "the whole part of the picture of $formatNumber has an optional digit after a mandatory one",
  D3091: "the fraction of the picture of $formatNumber has a mandatory digit after an optional one",
  D3092: "the exponent of the picture of $formatNumber stands with a percent or per-mille sign",
  D3093: "the exponent of the picture of $formatNumber may hold digits alone",
  D3100: "the radix of $formatBase must be from 2 to 36",
  D3110: "the text is no time in ISO 8601",
  D3130: "this way of writing an integer is not supported",
  D3131: "the digits of a picture are of several families",
  D3132: "the picture has an unknown component",
  D3133: "the picture has a component that is no name",
  D3134: "the time zone of the picture has more than four digits",
  D3135: "the picture has an opening bracket without a closing one",
  D3136: "the picture does not say enough of a time",
  T0410: "an argument is not of the type that the function takes",
  T0411: "the context is not of the type that the function takes",
  T0412: "an item of an argument is not of the type that the function takes",
};

/** The properties of a failure that its message shows. */
export interface FailureFacts {
  readonly code?: unknown;
  /** Number of the argument, from 1. */
  readonly index?: unknown;
  readonly token?: unknown;
  readonly value?: unknown;
  readonly functionName?: unknown;
}

/** The message of a failure, with its function, argument and value where they are known. */
export function messageOfFailure({
  code,
  index,
  token,
  value,
  functionName,
}: FailureFacts): string | undefined {
  // JSONata's own test suite checks the words of this message.
  if (code === "D3140") return `Malformed URL passed to $${String(functionName)}(): ${JSON.stringify(value)}`;
  const message = MESSAGES[String(code)];
  if (message === undefined) return undefined;
  const argument = typeof index === "number" ? `argument ${index}` : "";
  const called = typeof token === "string" ? ` of $${token}` : "";
  return argument === "" && called === "" ? message : `${argument}${called}: ${message}`.trim();
}
