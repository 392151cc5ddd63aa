/** The words for where an email stands and what happened to it. */
import type { Kind } from "@/components/state";
import type { components } from "@/generated/v1";

export type EmailState = components["schemas"]["EmailStatus"];
export type Event = components["schemas"]["SearchableEvent"];

export const STATES: Record<EmailState, { word: string; kind: Kind }> = {
  queued: { word: "Queued", kind: "quiet" },
  scheduled: { word: "Scheduled", kind: "quiet" },
  held: { word: "Held", kind: "waiting" },
  deferred: { word: "Deferred", kind: "waiting" },
  uncertain: { word: "Uncertain", kind: "waiting" },
  delivered: { word: "Delivered", kind: "good" },
  bounced: { word: "Bounced", kind: "bad" },
  expired: { word: "Expired", kind: "bad" },
  suppressed: { word: "Suppressed", kind: "bad" },
  cancelled: { word: "Cancelled", kind: "quiet" },
};

export const EVENTS: Record<Event, string> = {
  sent: "Sent",
  delivered: "Delivered",
  deferred: "Deferred",
  soft_bounced: "Soft bounced",
  hard_bounced: "Hard bounced",
  suppressed: "Suppressed",
  cancelled: "Cancelled",
  held: "Held",
  released: "Released",
  possible_duplicate: "Possible duplicate",
};

/** Choices of a select. */
export const STATE_CHOICES = Object.entries(STATES).map(([value, { word }]) => ({ value, label: word }));
export const EVENT_CHOICES = Object.entries(EVENTS).map(([value, label]) => ({ value, label }));
