/** Where programs connect. */
import { useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import type { components } from "@/generated/console";

export type RelayAddress = components["schemas"]["RelayOut"];
export type Listener = RelayAddress["listeners"][number];

export const AUTHORITY_FILE = "ca.crt";

export function useRelay() {
  return useQuery({ queryKey: ["relay"], queryFn: () => data(console.GET("/relay")), staleTime: 300_000 });
}

/** As plug-ins say it. */
export const WORDS: Record<Listener["tls"], { encryption: string; short: string }> = {
  starttls: { encryption: "STARTTLS, which plug-ins call TLS", short: "TLS" },
  implicit: { encryption: "TLS from the first byte, which plug-ins call SSL", short: "SSL" },
};
