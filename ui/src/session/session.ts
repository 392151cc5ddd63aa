/** Who is signed in, and what they may do. */
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { console, data, holdToken } from "@/api/client";
import { ApiError } from "@/api/error";
import { queries, SESSION } from "@/api/queries";
import type { components } from "@/generated/console";

export type Session = components["schemas"]["SessionOut"];
export type Permission = Session["permissions"][number];

/** null: nobody is. */
async function read(): Promise<Session | null> {
  try {
    return kept(await data(console.GET("/session")));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

function kept(session: Session): Session {
  holdToken(session.csrf_token);
  return session;
}

/** Asked for again when the window comes back: the session may have ended meanwhile. */
export function useSessionQuery() {
  return useQuery({
    queryKey: SESSION,
    queryFn: read,
    staleTime: 60_000,
    refetchOnWindowFocus: true,
  });
}

/** What `SignedIn` gives to everything within it; not the query, for that is null before the pages are gone. */
export const SessionContext = createContext<Session | null>(null);

/** Within the shell: somebody is signed in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("nobody is signed in");
  return session;
}

/** Whether the person has one of these permissions in the account they work in. */
export function useMay(...permissions: Permission[]): boolean {
  const session = useSession();
  return permissions.some((one) => session.permissions.includes(one));
}

/** After signing in, after a change of the password, in another account: nothing of before is shown on. */
export function begin(session: Session) {
  forget();
  queries.setQueryData(SESSION, kept(session));
}

/** The same session, changed: a new name, a new token. */
export function renew(session: Session) {
  queries.setQueryData(SESSION, kept(session));
}

/** After signing out. */
export function end() {
  holdToken("");
  forget();
  queries.setQueryData(SESSION, null);
}

/** All but the session itself: the pages watch that one. */
function forget() {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
}
