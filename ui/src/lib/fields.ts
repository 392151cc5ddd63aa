import type { ReactNode } from "react";

/** What is wrong with a field or with one of its values: "allowed_addresses.0" is told at "allowed_addresses". */
export function within(errors: Readonly<Record<string, ReactNode>>, field: string): ReactNode {
  const at = Object.keys(errors).find((path) => path === field || path.startsWith(`${field}.`));
  return at === undefined ? undefined : errors[at];
}
