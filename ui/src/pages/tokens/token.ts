import type { components } from "@/generated/v1";

export type Token = components["schemas"]["TokenOut"];

/** The domain that a token is for. */
export type Bound = { id: string; name: string };
