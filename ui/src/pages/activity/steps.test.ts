import { expect, test } from "vitest";
import { type Attempt, stepsOf, type TimelineEvent } from "./steps";

function event(type: TimelineEvent["type"], at: string, more: Partial<TimelineEvent> = {}): TimelineEvent {
  return { id: `${type} ${at}`, type, created_at: at, ...more } as TimelineEvent;
}

function attempt(number: number, at: string): Attempt {
  return { number, at } as Attempt;
}

const [AT, LATER, LAST] = ["2026-11-23T12:00:00Z", "2026-11-23T12:00:05Z", "2026-11-23T12:05:00Z"] as const;

test("what an attempt brought about is told with it, the rest in its own place", () => {
  const events = [
    event("queued", AT),
    event("sent", LATER),
    event("deferred", LATER, { next_attempt_at: LAST }),
    event("delivered", LAST),
  ];
  const steps = stepsOf({ events, attempts: [attempt(1, LATER), attempt(2, LAST)] });
  expect(steps.map((step) => (step.kind === "event" ? step.event.type : step.attempt.number))).toEqual([
    "queued",
    1,
    2,
  ]);
  expect(steps[1]).toMatchObject({ kind: "attempt", nextAt: LAST });
});

test("what came without an attempt stays: an email that expired", () => {
  const steps = stepsOf({ events: [event("queued", AT), event("soft_bounced", LAST)], attempts: [] });
  expect(steps).toHaveLength(2);
});
