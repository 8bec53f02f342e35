// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { callNamed, callValue, TailCall } from "../runtime/calls/calls.ts";
import { createLambda, functionValue, HOLE, partial, pipe } from "../runtime/calls/function-values.ts";
import { groupBy } from "../runtime/group.ts";
import { createMatcher } from "../runtime/patterns/matcher.ts";
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
} from "../runtime/operators.ts";
import {
  descendants,
  filter,
  followArray,
  followFrom,
  followNames,
  followToList,
  itemAt,
  keepSingleton,
  laidFlat,
  listOf,
  lookup,
  pickIndex,
  sequenceOf,
  startPath,
  stepAfterSort,
  stepFirst,
  stepOnce,
  takeStep,
  walkNames,
  wildcard,
} from "../runtime/path.ts";
import { buildArray, contextValue, endsPath, outerContext, settle } from "../runtime/sequence.ts";
import { orderBy } from "../runtime/sort.ts";
import { transform } from "../runtime/transform.ts";
import {
  applyStages,
  contextsOf,
  filterTuples,
  numberTuples,
  takeTupleStep,
  tuplesOf,
} from "../runtime/tuples.ts";
import { truthy } from "../runtime/values.ts";

/** What compiled code calls, as R. Everything that may take long counts what it does in the guard, G. */
export const OPERATIONS = {
  applyStages,
  arithmetic,
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
  endsPath,
  equals,
  filter,
  filterTuples,
  followArray,
  followFrom,
  followNames,
  followToList,
  functionValue,
  groupBy,
  HOLE,
  includes,
  itemAt,
  keepSingleton,
  laidFlat,
  listOf,
  lookup,
  negate,
  numberText,
  numberTuples,
  order,
  orderBy,
  outerContext,
  partial,
  pickIndex,
  pipe,
  range,
  sequenceOf,
  settle,
  startPath,
  stepAfterSort,
  stepFirst,
  stepOnce,
  TailCall,
  takeStep,
  takeTupleStep,
  transform,
  truthy,
  tuplesOf,
  walkNames,
  wildcard,
} as const;
