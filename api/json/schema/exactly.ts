// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static, type TSchema, type TUnsafe } from "typebox";

/**
 * A schema for exactly the values of type T: a schema that admits more or fewer values, such as one with a
 * missing or superfluous field, does not compile. So a message's type and its schema cannot drift apart.
 */
export function exactly<T>(): <S extends TSchema>(schema: S & Proof<Static<S>, T>) => TUnsafe<T> {
  return (schema) => Type.Unsafe<T>(schema);
}

type Proof<Checked, T> =
  Same<Plain<Checked>, Plain<T>> extends true ? unknown : { readonly schemaAndTypeDiffer: Checked };

/**
 * Identity of types instead of assignability: `{}` and `{ a?: string }` are assignable to each other but not
 * identical.
 */
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** The type without `readonly`, which JSON does not have, and without names of interfaces. */
type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : { -readonly [Key in keyof T]: Plain<T[Key]> };
