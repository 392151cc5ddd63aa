import { queryOptions } from "@tanstack/react-query";
import { console, data } from "@/api/client";

/** Whether people may make accounts by themselves. */
export const signUpQuery = queryOptions({
  queryKey: ["sign-up"],
  queryFn: () => data(console.GET("/sign-up")),
  staleTime: Number.POSITIVE_INFINITY,
});
