import { lazy } from "react";
import { createBrowserRouter } from "react-router";
import { Crash } from "@/components/crash";
import { PAGES, type PageEntry } from "@/pages";
import { Allowed } from "@/session/allowed";
import { SignedIn } from "@/session/guard";
import { Shell } from "@/shell/shell";

function route(entry: PageEntry) {
  const Component = lazy(entry.load);
  const element = (
    <Allowed entry={entry}>
      <Component />
    </Allowed>
  );
  return { path: entry.path, element, ErrorBoundary: Crash };
}

const NotFound = lazy(() => import("@/pages/not-found"));
const SignIn = lazy(() => import("@/pages/sign-in"));
const SignUp = lazy(() => import("@/pages/sign-up"));
const Reset = lazy(() => import("@/pages/reset"));
const ConfirmEmail = lazy(() => import("@/pages/confirm-email"));
const Invite = lazy(() => import("@/pages/invite"));

export const router = createBrowserRouter([
  { path: "/sign-in", Component: SignIn, ErrorBoundary: Crash },
  { path: "/sign-up", Component: SignUp, ErrorBoundary: Crash },
  { path: "/reset", Component: Reset, ErrorBoundary: Crash },
  { path: "/confirm-email", Component: ConfirmEmail, ErrorBoundary: Crash },
  { path: "/invite", Component: Invite, ErrorBoundary: Crash },
  {
    Component: SignedIn,
    ErrorBoundary: Crash,
    children: [{ Component: Shell, children: [...PAGES.map(route), { path: "*", Component: NotFound }] }],
  },
]);
