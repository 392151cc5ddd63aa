import { State } from "@/components/state";
import type { Account } from "./account";

export function AccountChip({ state }: { state: Account["state"] }) {
  if (state === "approved") return <State kind="good">Approved</State>;
  if (state === "suspended") return <State kind="bad">Suspended</State>;
  return <State kind="waiting">Not approved</State>;
}
