import type { ReactNode } from "react";
import { Empty } from "@/components/empty";
import { Page } from "@/components/page";
import { type PageEntry, visible } from "@/pages";
import { useSession } from "@/session/session";

/** The page, or a word to who may not see it: they may have come by a link of a colleague. */
export function Allowed({ entry, children }: { entry: PageEntry; children: ReactNode }) {
  const session = useSession();
  if (visible(entry, session)) return children;
  return (
    <Page title={entry.label ?? "Not for you"}>
      <Empty title="Your role does not include this">
        {session.accounts.length > 1 ? "Perhaps it is in another of your accounts. " : ""}
        An Admin of the account can give you the permission: {entry.needs?.join(" or ") ?? "operator"}.
      </Empty>
    </Page>
  );
}
