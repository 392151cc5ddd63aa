/** Emails as they are found, page after page, kept up to date by asking what has changed: that costs next to nothing. */
import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { queries } from "@/api/queries";
import { type Found, merged, type Query } from "./search";

const EVERY = 4_000; // ms
const AGAIN = 15_000; // ms; a row that fits a state no more is not told as a change

export function useEmails(query: Query) {
  const key = ["emails", "search", query] as const;
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask({ ...query, before: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Found) => last.meta.before ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: query["state[]"] ? AGAIN : false,
  });
  useQuery({
    queryKey: ["emails", "changes", query],
    queryFn: () => follow(key, query),
    enabled: list.isSuccess && !list.isPlaceholderData,
    refetchInterval: EVERY,
    staleTime: 0,
    gcTime: 0,
  });
  return list;
}

function ask(query: Query): Promise<Found> {
  return body(v1.GET("/emails/search", { params: { query } }));
}

/** Puts what has changed into the list. */
async function follow(key: readonly unknown[], query: Query): Promise<null> {
  const since = queries.getQueryData<InfiniteData<Found>>(key)?.pages[0]?.meta.since;
  if (since === undefined) return null;
  const { data, meta } = await ask({ ...query, since });
  if (!meta.complete) {
    await queries.invalidateQueries({ queryKey: key });
    return null;
  }
  queries.setQueryData<InfiniteData<Found>>(key, (known) => {
    const pages = merged(known?.pages ?? [], data);
    const [first, ...rest] = pages;
    if (known === undefined || first === undefined) return known;
    return { ...known, pages: [{ ...first, meta: { ...first.meta, since: meta.since } }, ...rest] };
  });
  return null;
}
