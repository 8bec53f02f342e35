// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { filterDirectly, mapDirectly } from "../functions/collections.ts";
import { isoMillis, isoText } from "../functions/iso-time.ts";
import {
  afterOf,
  beforeOf,
  distinctOf,
  joinedOf,
  lengthOf,
  numberOf,
  partsOf,
  replacedOf,
  searched,
  substringOf,
  sumOf,
  trimOf,
} from "../functions/quick-text.ts";
import { matchPattern, replacePattern } from "../functions/text.ts";
import { callNamed, callValue, createLambda, functionValue, HOLE, partial, pipe, TailCall } from "./calls.ts";
import { groupBy } from "./group.ts";
import { createMatcher } from "./matcher.ts";
import {
  arithmetic,
  concat,
  differs,
  equals,
  includes,
  negate,
  numberText,
  order,
  range,
} from "./operators.ts";
import {
  descendants,
  filter,
  followArray,
  followFrom,
  followNames,
  itemAt,
  keepSingleton,
  lookup,
  pickIndex,
  startPath,
  stepOnce,
  takeStep,
  walkNames,
  wildcard,
} from "./path.ts";
import { append, buildArray, contextValue, isEmptyArray, settle } from "./sequence.ts";
import { orderBy } from "./sort.ts";
import { transform } from "./transform.ts";
import { applyStages, contextsOf, filterTuples, numberTuples, takeTupleStep, tuplesOf } from "./tuples.ts";
import { truthy } from "./values.ts";

/** What compiled code calls, as R. Everything that may take long counts what it does in the guard, G. */
export const OPERATIONS = {
  afterOf,
  append,
  applyStages,
  arithmetic,
  beforeOf,
  buildArray,
  callNamed,
  callValue,
  concat,
  contextsOf,
  contextValue,
  createLambda,
  createMatcher,
  descendants,
  differs,
  distinctOf,
  equals,
  filter,
  filterDirectly,
  filterTuples,
  followArray,
  followFrom,
  followNames,
  functionValue,
  groupBy,
  HOLE,
  includes,
  isEmptyArray,
  isoMillis,
  isoText,
  itemAt,
  joinedOf,
  keepSingleton,
  lengthOf,
  lookup,
  mapDirectly,
  matchPattern,
  negate,
  numberOf,
  numberText,
  numberTuples,
  order,
  orderBy,
  partial,
  partsOf,
  pickIndex,
  pipe,
  range,
  replacedOf,
  replacePattern,
  searched,
  settle,
  startPath,
  stepOnce,
  substringOf,
  sumOf,
  TailCall,
  takeStep,
  takeTupleStep,
  transform,
  trimOf,
  truthy,
  tuplesOf,
  walkNames,
  wildcard,
} as const;
