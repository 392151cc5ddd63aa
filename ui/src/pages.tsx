/**
 * Every page within the shell, in the order of the navigation. Adding one is a line here and a file in pages/ with a
 * default export. Without `label` a page is not in the navigation (that of a single object, say).
 */
import {
  IconBuilding,
  IconHistory,
  IconHome,
  IconInbox,
  IconKey,
  IconListSearch,
  IconMailbox,
  IconMailCheck,
  IconMailOff,
  IconPencil,
  IconRocket,
  IconRosetteDiscountCheck,
  IconStack2,
  IconUserCircle,
  IconUsers,
  IconWorld,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Permission, Session } from "@/session/session";

export interface PageEntry {
  /** As react-router has it: "/domains/:domainId". */
  path: string;
  load: () => Promise<{ default: ComponentType }>;
  label?: string;
  icon?: ComponentType<{ size?: number | string; stroke?: number | string }>;
  /** The heading in the navigation it stands under. */
  group?: "Email" | "Integrations" | "Settings" | "Operator";
  /** One of these is needed; without any, everybody may. */
  needs?: Permission[];
  /** For operators of the installation only. */
  operator?: true;
  /** The page of the navigation it belongs to, where its address does not say so. */
  within?: string;
  /** Also found by these words in the search. */
  words?: string[];
}

/** Whoever works with what belongs to a domain sees which there are. */
const SEES_DOMAINS: Permission[] = [
  "manage-domain",
  "control-sendings",
  "control-tracking-options",
  "read-activity",
  "read-analytics",
  "read-email",
  "manage-webhook",
  "view-smtp-users",
];

export const PAGES: PageEntry[] = [
  { path: "/", label: "Home", icon: IconHome, load: () => import("@/pages/home") },
  {
    path: "/first-run",
    label: "First run",
    icon: IconRocket,
    operator: true,
    words: ["start", "set up", "port 25", "smarthost"],
    load: () => import("@/pages/first-run"),
  },
  {
    path: "/domains",
    label: "Domains",
    icon: IconWorld,
    group: "Email",
    needs: SEES_DOMAINS,
    words: ["dns", "dkim", "spf", "smtp", "credentials", "username", "password", "api tokens", "pause"],
    load: () => import("@/pages/domains"),
  },
  { path: "/domains/:domainId", needs: SEES_DOMAINS, load: () => import("@/pages/domains/domain-page") },
  {
    path: "/activity",
    label: "Activity",
    icon: IconListSearch,
    group: "Email",
    needs: ["read-email"],
    words: ["emails", "delivery", "timeline", "bounced", "search", "refused", "transcript"],
    load: () => import("@/pages/activity"),
  },
  { path: "/activity/:emailId", needs: ["read-email"], load: () => import("@/pages/activity/email") },
  {
    path: "/refused",
    within: "/activity",
    needs: ["read-error-log"],
    load: () => import("@/pages/activity/refused"),
  },
  {
    path: "/inbox",
    label: "Sandbox inbox",
    icon: IconMailbox,
    group: "Email",
    needs: ["read-email"],
    words: ["test", "preview", "catch"],
    load: () => import("@/pages/inbox"),
  },
  {
    path: "/compose",
    label: "Compose",
    icon: IconPencil,
    group: "Email",
    needs: ["control-sendings"],
    words: ["send", "write", "test", "preflight"],
    load: () => import("@/pages/compose"),
  },
  {
    path: "/identities",
    label: "Sender identities",
    icon: IconMailCheck,
    group: "Email",
    needs: ["read-sender-identities", "manage-sender-identities"],
    words: ["from", "address", "on behalf", "clients"],
    load: () => import("@/pages/identities"),
  },
  {
    path: "/suppressions",
    label: "Suppressions",
    icon: IconMailOff,
    group: "Email",
    needs: ["read-suppressions", "manage-suppressions"],
    words: ["bounces", "complaints", "unsubscribes", "on hold", "blocklist"],
    load: () => import("@/pages/suppressions"),
  },
  {
    path: "/tokens",
    label: "API tokens",
    icon: IconKey,
    group: "Integrations",
    needs: ["manage-api-token"],
    words: ["api", "key", "scopes", "credentials", "programs"],
    load: () => import("@/pages/tokens"),
  },
  {
    path: "/users",
    label: "Users",
    icon: IconUsers,
    group: "Settings",
    needs: ["manage-account"],
    words: ["people", "roles", "invite", "team"],
    load: () => import("@/pages/users"),
  },
  {
    path: "/profile",
    label: "Profile",
    icon: IconUserCircle,
    group: "Settings",
    words: ["password", "email", "sessions", "two-factor", "time zone"],
    load: () => import("@/pages/profile"),
  },
  {
    path: "/approval",
    label: "Approval",
    icon: IconRosetteDiscountCheck,
    group: "Settings",
    needs: ["manage-account"],
    words: ["quota", "questionnaire", "limit"],
    load: () => import("@/pages/approval"),
  },
  {
    path: "/audit-log",
    label: "Audit log",
    icon: IconHistory,
    group: "Settings",
    needs: ["manage-account"],
    words: ["changes", "who", "export"],
    load: () => import("@/pages/audit-log"),
  },
  {
    path: "/operator/requests",
    label: "Requests",
    icon: IconInbox,
    group: "Operator",
    operator: true,
    words: ["approve", "refuse"],
    load: () => import("@/pages/operator/requests"),
  },
  {
    path: "/operator/accounts",
    label: "Accounts",
    icon: IconBuilding,
    group: "Operator",
    operator: true,
    words: ["suspend", "plan", "quota"],
    load: () => import("@/pages/operator/accounts"),
  },
  { path: "/operator/accounts/:accountId", operator: true, load: () => import("@/pages/operator/account") },
  {
    path: "/operator/plans",
    label: "Plans",
    icon: IconStack2,
    group: "Operator",
    operator: true,
    words: ["limits"],
    load: () => import("@/pages/operator/plans"),
  },
];

export function visible(entry: PageEntry, session: Session): boolean {
  if (entry.operator && !session.user.operator) return false;
  return !entry.needs || entry.needs.some((one) => session.permissions.includes(one));
}

/** Whether who is at this address is at that page of the navigation, or at one below it. */
export function isAt(entry: PageEntry, pathname: string): boolean {
  if (entry.path === "/") return pathname === "/";
  const path = PAGES.find((one) => one.path === pathname)?.within ?? pathname;
  return `${path}/`.startsWith(`${entry.path}/`);
}
