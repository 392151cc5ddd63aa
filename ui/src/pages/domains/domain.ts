/** A domain, and the words for where it stands. */
import { useQuery } from "@tanstack/react-query";
import { data, v1 } from "@/api/client";
import type { Kind } from "@/components/state";
import type { components } from "@/generated/v1";

/** As in the list, and by itself. */
export type Domain = Omit<components["schemas"]["DomainOut"], "totals">;

export function useDomain(domain_id: string) {
  return useQuery({
    queryKey: ["domains", domain_id],
    queryFn: () => data(v1.GET("/domains/{domain_id}", { params: { path: { domain_id } } })),
  });
}

/** What to look at first: worse before better. */
export function states(domain: Domain): { kind: Kind; word: string }[] {
  const found: { kind: Kind; word: string }[] = [];
  if (!domain.is_verified) found.push({ kind: "waiting", word: "Not verified" });
  else if (domain.failing_since) found.push({ kind: "bad", word: "DNS record gone" });
  else if (domain.mode === "sandbox") found.push({ kind: "quiet", word: "Sandbox" });
  else found.push({ kind: "good", word: "Verified" });
  if (domain.domain_settings.send_paused) found.push({ kind: "waiting", word: "Paused" });
  return found;
}
