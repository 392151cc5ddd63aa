/** How pages ask: one client with what holds for every question, and hooks for lists and changes. */
import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  type QueryKey,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { ApiError } from "@/api/error";
import { notifyFailed } from "@/components/notify";

export const SESSION = ["session"] as const;

const FRESH = 15_000; // ms for which going back to a page asks nothing

export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: onFailure }),
  mutationCache: new MutationCache({ onError: onFailure }),
  defaultOptions: {
    queries: {
      staleTime: FRESH,
      // Again only where that may help: no answer, and our own faults.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && isOurs(error.status),
    },
  },
});

function isOurs(status: number): boolean {
  return status === 0 || status >= 500;
}

/** The session is over, or is another one: signed in anew in another tab. */
function onFailure(error: Error) {
  if (!(error instanceof ApiError)) return;
  if (error.status === 401) queries.setQueryData(SESSION, null);
  if (error.rule === "csrf-token") queries.invalidateQueries({ queryKey: SESSION });
}

/** A page of a list as the API answers it; `total` and `last_page` where the length is known. */
export interface Listed<Row> {
  data: Row[];
  links: { next?: string | null };
  meta: { current_page: number; from: number | null; to: number | null; total?: number; last_page?: number };
}

/**
 * A list with its page number in the address (`?page=2`), so that Back and links work.
 * The rows before stay until the next have come.
 */
export function useList<Row>(
  key: QueryKey,
  ask: (page: number) => Promise<Listed<Row>>,
  refetchInterval?: number,
) {
  const [page, setPage] = usePageNumber();
  const list = useQuery({
    queryKey: [...key, { page }],
    queryFn: () => ask(page),
    placeholderData: keepPreviousData,
    refetchInterval,
  });
  return { ...list, page, setPage };
}

export type List<Row> = ReturnType<typeof useList<Row>>;

function usePageNumber(): [number, (page: number) => void] {
  const [parameters, setParameters] = useSearchParams();
  const page = Math.max(1, Number.parseInt(parameters.get("page") ?? "1", 10) || 1);
  const setPage = (wanted: number) =>
    setParameters((before) => {
      const after = new URLSearchParams(before);
      if (wanted > 1) after.set("page", String(wanted));
      else after.delete("page");
      return after;
    });
  return [page, setPage];
}

/**
 * Something that changes what lists and objects show. `refresh` names the keys to ask for anew.
 * A failure is shown as a notification unless `quiet`: then whoever calls shows it, a form beside its fields.
 */
export function useChange<Input, Output>(
  send: (input: Input) => Promise<Output>,
  options: {
    refresh?: QueryKey[];
    quiet?: boolean;
    done?: (output: Output, input: Input) => void;
  } = {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: async (output, input) => {
      const refreshed = (options.refresh ?? []).map((queryKey) => client.invalidateQueries({ queryKey }));
      options.done?.(output, input);
      await Promise.all(refreshed);
    },
    onError: (error) => {
      if (!options.quiet) notifyFailed(error);
    },
  });
}
