import { queryOptions, useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import { useSession } from "@/session/session";

/** Whether people may make accounts by themselves. */
export const signUpQuery = queryOptions({
  queryKey: ["sign-up"],
  queryFn: () => data(console.GET("/sign-up")),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Whether who is signed in may make another account. */
export function useMakesAccounts(): boolean {
  const { operator } = useSession().user;
  const signUp = useQuery({ ...signUpQuery, enabled: !operator });
  return operator || (signUp.data !== undefined && signUp.data.mode !== "closed");
}
