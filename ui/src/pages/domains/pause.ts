/** Sending can be paused: messages are accepted and wait. */
import { data, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { notifyDone } from "@/components/notify";
import { useMay } from "@/session/session";
import type { Domain } from "./domain";

export function useMayPause(): boolean {
  return useMay("manage-domain", "control-sendings");
}

export function usePause(domain: Domain) {
  return useChange(
    (send_paused: boolean) =>
      data(
        v1.PUT("/domains/{domain_id}/settings", {
          params: { path: { domain_id: domain.id } },
          body: { send_paused },
        }),
      ),
    {
      refresh: [["domains"], ["home"]],
      done: (_, paused) => notifyDone(paused ? "Sending is paused." : "Sending goes on."),
    },
  );
}
