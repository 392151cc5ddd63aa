/** The way of an email as steps in their order: attempts with what they came to, and all else that happened. */
import type { components } from "@/generated/v1";

export type Timeline = components["schemas"]["TimelineOut"];
export type Attempt = components["schemas"]["AttemptOut"];
export type TimelineEvent = components["schemas"]["StepOut"];

export type Step =
  | { kind: "attempt"; at: string; attempt: Attempt; nextAt: string | null }
  | { kind: "event"; at: string; event: TimelineEvent };

/** What an attempt brings about; it is told with the attempt and not again. */
const OF_ATTEMPTS = new Set<TimelineEvent["type"]>([
  "sent",
  "delivered",
  "deferred",
  "soft_bounced",
  "hard_bounced",
]);

export function stepsOf({ attempts, events }: Pick<Timeline, "attempts" | "events">): Step[] {
  const told = new Set<string>();
  const tried = attempts.map((attempt): Step => {
    const own = events.filter(
      (event) => OF_ATTEMPTS.has(event.type) && event.created_at === attempt.at && !told.has(event.id),
    );
    for (const event of own) told.add(event.id);
    const nextAt = own.find((event) => event.next_attempt_at)?.next_attempt_at ?? null;
    return { kind: "attempt", at: attempt.at, attempt, nextAt };
  });
  const others = events
    .filter((event) => !told.has(event.id))
    .map((event): Step => ({ kind: "event", at: event.created_at, event }));
  // At the same moment an event stands first: what was queued was tried then.
  return [...others, ...tried].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
