import { useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import type { components } from "@/generated/console";
import { count } from "@/lib/numbers";

export type Account = components["schemas"]["OperatorAccount"];

export function usePlans() {
  return useQuery({ queryKey: ["plans"], queryFn: () => data(console.GET("/operator/plans")) });
}

/** For choosing one; the plan "" is that of accounts without one. */
export function usePlanNames(): string[] {
  return usePlans().data?.flatMap((plan) => plan.name || []) ?? [];
}

export function usage({ used_today: used, quota_today: limit }: Account): string {
  return limit === null ? count(used) : `${count(used)} of ${count(limit)}`;
}
