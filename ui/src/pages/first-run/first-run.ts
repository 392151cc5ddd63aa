/** What the server says about the first run, and how it is marked. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import { useChange } from "@/api/queries";
import type { components } from "@/generated/console";

type Schemas = components["schemas"];
export type FirstRun = Schemas["FirstRunOut"];
export type Step = FirstRun["steps"][number];
export type StepName = Step["step"];
type Marks = Schemas["MarksInput"];

const KEY = ["first-run"];
const WHILE_CHECKING = 1000;
const WHILE_OPEN = 4000;

/** Asked for again until all is done, and whenever the window comes back: much is done elsewhere, a little later. */
export function useFirstRun() {
  return useQuery({
    queryKey: KEY,
    queryFn: () => data(console.GET("/first-run")),
    staleTime: 0,
    refetchOnWindowFocus: true,
    refetchInterval: ({ state }) => {
      if (state.data?.checks.under_way) return WHILE_CHECKING;
      return state.data?.finished || state.data?.closed ? false : WHILE_OPEN;
    },
  });
}

export function useMark() {
  const client = useQueryClient();
  return useChange((marks: Marks) => data(console.PUT("/first-run", { body: marks })), {
    done: (run) => client.setQueryData(KEY, run),
  });
}

export function useChecks() {
  const client = useQueryClient();
  return useChange(() => data(console.POST("/first-run/checks")), {
    done: (run) => client.setQueryData(KEY, run),
  });
}

/** The key to ask for anew after something was done for a step. */
export const FIRST_RUN = [KEY];

/** The first one that is still to be done. */
export function nextStep(run: FirstRun): StepName | null {
  return run.steps.find((one) => one.state !== "done" && !one.skipped)?.step ?? null;
}
