/** Around everything that needs somebody who is signed in. */
import { Button, Center, Loader, Stack } from "@mantine/core";
import { Navigate, Outlet, useLocation } from "react-router";
import { Problem } from "@/components/problem";
import { SessionContext, useSessionQuery } from "@/session/session";

/** Who is not signed in goes to the sign-in page, and from there back to where they were. */
export function SignedIn() {
  const session = useSessionQuery();
  const location = useLocation();
  if (session.isPending) {
    return (
      <Center h="100vh">
        <Loader aria-label="Loading" />
      </Center>
    );
  }
  if (session.data === undefined) {
    return (
      <Center h="100vh" p="md">
        <Stack>
          <Problem error={session.error ?? new Error("Nobody knows who is signed in.")} />
          <Button onClick={() => session.refetch()} loading={session.isFetching}>
            Try again
          </Button>
        </Stack>
      </Center>
    );
  }
  if (session.data === null) {
    const back = location.pathname + location.search;
    const to = back === "/" ? "/sign-in" : `/sign-in?back=${encodeURIComponent(back)}`;
    return <Navigate to={to} replace />;
  }
  return (
    <SessionContext value={session.data}>
      <Outlet />
    </SessionContext>
  );
}

/** Where to go after signing in: a page of ours, whatever the address says. */
export function wayBack(search: string): string {
  const wanted = new URLSearchParams(search).get("back") ?? "/";
  return /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/sign-in") ? wanted : "/";
}
