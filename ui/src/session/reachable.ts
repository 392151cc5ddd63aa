import { matchPath } from "react-router";
import { PAGES, visible } from "@/pages";
import { useSession } from "@/session/session";

/** Whether there is such a page for this person: links elsewhere are shown only then. */
export function useReachable(): (address: string) => boolean {
  const session = useSession();
  return (address) => {
    const [path = ""] = address.split("?");
    return PAGES.some((entry) => matchPath(entry.path, path) && visible(entry, session));
  };
}
