// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Leaves out texts of compiled modules that only schemas/ and docs/ have, which are generated from the sources, and the comments
// of Lua. Nothing at run time reads them.

/** Schemas of documents and of the configurations of extensions. */
const SCHEMAS = /^(?:core\/documents\/(?:kinds\/.*|envelope)|(?:adapters|plugins)\/.*\/config)\.js$/;
/** The records of functions: `docs` is the section of docs/reference/functions.md. */
const FUNCTIONS = /^expressions\/functions\//;
const ATTRIBUTES = "config/built-in-attributes.js";
const LUA = /^adapters\/redis-quota\/(?:view-)?script[a-z-]*\.js$/;

/** A function that makes a schema of a description, such as Duration("How long …"), by its name. */
const SCHEMA_MAKER = /^(?!.*Error$)[A-Z]/;

/** A comment of Lua, or the indentation of a line. */
const LUA_FILLING = /(?<=\n)[ \t]*(?:--[^\n]*)?/g;

/**
 * Returns the code without its texts for readers, and with the same lines.
 * @param {string} place The module's path in dist/, with slashes.
 * @param {string} code
 * @param {(code: string) => object} parse Makes an ESTree with `start` and `end` of each node.
 */
export function withoutTexts(place, code, parse) {
  const cut = cutFor(place);
  if (cut === undefined) return code;
  const cuts = [];
  walk(parse(code), (node) => cuts.push(...cut(node, code)));
  let result = code;
  for (const { start, end, text } of cuts.toSorted((a, b) => b.start - a.start))
    result = result.slice(0, start) + text + result.slice(end);
  return result;
}

function cutFor(place) {
  if (SCHEMAS.test(place))
    return (node, code) => [...propertyCut("description", node, code), ...argumentCut(node, code)];
  if (FUNCTIONS.test(place)) return (node, code) => propertyCut("docs", node, code);
  if (place === ATTRIBUTES) return (node, code) => propertyCut("description", node, code);
  return LUA.test(place) ? luaCut : undefined;
}

/** The property of this name, whose value is constant, in an object. */
function propertyCut(name, node, code) {
  if (node.type !== "ObjectExpression") return [];
  const index = node.properties.findIndex(({ key }) => key?.name === name || key?.value === name);
  if (index < 0 || !isConstant(node.properties[index].value)) return [];
  const { start } = node.properties[index];
  const end = node.properties[index + 1]?.start ?? node.end - 1;
  return [{ start, end, text: linesOf(code.slice(start, end)) }];
}

/** The description that a function is called with. */
function argumentCut(node, code) {
  if (node.type !== "CallExpression" || !SCHEMA_MAKER.test(node.callee.name ?? "")) return [];
  return node.arguments.filter(isSentence).map(({ start, end }) => {
    return { start, end, text: `""${linesOf(code.slice(start, end))}` };
  });
}

function luaCut(node, code) {
  if (node.type !== "TemplateElement") return [];
  const { start, end } = node;
  return [{ start, end, text: code.slice(start, end).replaceAll(LUA_FILLING, "") }];
}

/** A text with a space that begins with a capital letter; no value of a document has this form. */
function isSentence(node) {
  if (node.type === "BinaryExpression") return isSentence(node.left) && isConstant(node);
  const text = node.quasis?.[0].value.raw ?? node.value;
  return typeof text === "string" && isConstant(node) && /^[A-Z].* /.test(text);
}

function isConstant(node) {
  switch (node.type) {
    case "Literal":
    case "Identifier":
      return true;
    case "UnaryExpression":
      return isConstant(node.argument);
    case "MemberExpression":
      return isConstant(node.object);
    case "TemplateLiteral":
      return node.expressions.every(isConstant);
    case "BinaryExpression":
      return isConstant(node.left) && isConstant(node.right);
    case "ArrayExpression":
      return node.elements.every(isConstant);
    case "ObjectExpression":
      return node.properties.every(({ value }) => value !== undefined && isConstant(value));
    default:
      return false;
  }
}

function linesOf(text) {
  return text.replaceAll(/[^\n]/g, "");
}

function walk(node, visit) {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  else if (typeof node?.type === "string") {
    visit(node);
    for (const part of Object.values(node)) if (typeof part === "object") walk(part, visit);
  }
}
