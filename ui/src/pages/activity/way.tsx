/** The way of an email, from the moment it was accepted to the last reply, and what is still to come. */
import { Group, Stack, Timeline as Steps, Text } from "@mantine/core";
import {
  IconBan,
  IconCheck,
  IconClock,
  IconCopyX,
  IconInbox,
  IconPlayerPause,
  IconPlayerPlay,
  IconSend,
  IconX,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Time } from "@/components/time";
import { AttemptStep } from "./attempt";
import { type Step, stepsOf, type Timeline, type TimelineEvent } from "./steps";

const EVENTS: Record<TimelineEvent["type"], { title: string; icon: typeof IconCheck; color: string }> = {
  queued: { title: "Accepted and on stable storage", icon: IconInbox, color: "postroom" },
  sent: { title: "Sent", icon: IconSend, color: "postroom" },
  delivered: { title: "Delivered", icon: IconCheck, color: "postroom" },
  deferred: { title: "Deferred", icon: IconClock, color: "yellow" },
  soft_bounced: { title: "Given up", icon: IconX, color: "red" },
  hard_bounced: { title: "Bounced: the address does not exist", icon: IconX, color: "red" },
  suppressed: { title: "Suppressed: nothing was sent", icon: IconBan, color: "red" },
  cancelled: { title: "Cancelled", icon: IconBan, color: "gray" },
  held: { title: "Held", icon: IconPlayerPause, color: "yellow" },
  released: { title: "Released", icon: IconPlayerPlay, color: "postroom" },
  possible_duplicate: { title: "The outcome of an attempt was lost", icon: IconCopyX, color: "yellow" },
};

const COLORS = { delivered: "postroom", deferred: "yellow", failed: "red", uncertain: "yellow" } as const;
const ICONS = { delivered: IconCheck, deferred: IconClock, failed: IconX, uncertain: IconCopyX } as const;

const EDGES: Record<string, string> = { smtp: "Over SMTP", api: "Over the API" };

export function Way({ timeline }: { timeline: Timeline }) {
  const steps = stepsOf(timeline);
  const last = timeline.attempts.at(-1);
  return (
    <Steps bulletSize={28} lineWidth={2} active={steps.length}>
      {steps.map((step) => {
        if (step.kind === "attempt") {
          const { attempt } = step;
          const Icon = ICONS[attempt.result];
          return (
            <Steps.Item
              key={`attempt ${attempt.number}`}
              color={COLORS[attempt.result]}
              bullet={<Icon size={16} />}
              title={<Title at={step.at}>Attempt {attempt.number}</Title>}
            >
              <AttemptStep attempt={attempt} nextAt={step.nextAt} opened={attempt === last} />
            </Steps.Item>
          );
        }
        const { icon: Icon, color, title } = EVENTS[step.event.type];
        return (
          <Steps.Item
            key={step.event.id}
            color={color}
            bullet={<Icon size={16} />}
            title={<Title at={step.at}>{title}</Title>}
          >
            <EventStep step={step} timeline={timeline} />
          </Steps.Item>
        );
      })}
      {timeline.waiting && (
        <Steps.Item
          lineVariant="dashed"
          bullet={<IconClock size={16} />}
          title={<Next {...timeline.waiting} />}
        >
          <Text size="sm" c="dimmed">
            It is given up <Time at={timeline.waiting.expires_at} />.
          </Text>
        </Steps.Item>
      )}
    </Steps>
  );
}

function Title({ at, children }: { at: string; children: ReactNode }) {
  return (
    <Group justify="space-between" gap="xs" component="span">
      <Text span fw={600} size="sm">
        {children}
      </Text>
      <Text span size="xs" c="dimmed">
        <Time at={at} is="exact" />
      </Text>
    </Group>
  );
}

function EventStep({ step, timeline }: { step: Extract<Step, { kind: "event" }>; timeline: Timeline }) {
  const { event } = step;
  const { accepted } = timeline;
  return (
    <Stack gap={2}>
      {event.type === "queued" && accepted && (
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {EDGES[accepted.edge] ?? accepted.edge}
          {accepted.by.name && ` from ${accepted.by.name}`}
        </Text>
      )}
      {event.type === "possible_duplicate" && (
        <Text size="sm">It is tried again, so the recipient may get it twice.</Text>
      )}
      {event.suppression_reason && (
        <Text size="sm">The address is on a list: {event.suppression_reason.replaceAll("_", " ")}.</Text>
      )}
      {event.reason && (
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {event.reason}
        </Text>
      )}
      {event.next_attempt_at && (
        <Text size="sm">
          Then the next attempt was planned for <Time at={event.next_attempt_at} is="exact" />.
        </Text>
      )}
    </Stack>
  );
}

function Next({ under_way, due_at, hold }: NonNullable<Timeline["waiting"]>) {
  if (under_way) return "An attempt is being made right now";
  if (hold && !due_at) return "It waits";
  if (!due_at) return "It waits for its turn";
  return (
    <>
      Next attempt <Time at={due_at} />
    </>
  );
}
